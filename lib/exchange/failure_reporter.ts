/**
 * Who reports exchanges that failed: bounded in size and in number.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";
import { failureKind, type FailureReport } from "./failure_report.ts";

const MOST_A_SECOND = 20;
const MOST_CHARS = 500;
const MOST_KINDS = 100;

/** Passes on the exchanges that failed by an upstream's fault, or by that of BWS. Owned by its generation. */
export class FailureReporter {
  readonly #send: (report: FailureReport) => void;
  readonly #now: () => number;
  /** Failures that were too many to be sent, by their kind; the next of their kind tells of them. */
  readonly #unsent = new Map<string, number>();
  #second = 0;
  #sent = 0;

  /**
   * @param send Gets at most 20 a second.
   * @param now Milliseconds since 1970; for tests.
   */
  constructor(send: (report: FailureReport) => void, now: () => number = Date.now) {
    this.#send = send;
    this.#now = now;
  }

  /** Looks at an exchange that has ended. */
  look(exchange: Exchange): void {
    const { causeOwner, status } = exchange;
    if (exchange.tellsState) return;
    if (status < 500 && causeOwner !== "upstream" && causeOwner !== "proxy") return;
    const atMs = this.#now();
    const second = Math.floor(atMs / 1000);
    if (second !== this.#second) this.#sent = 0;
    this.#second = second;
    const single = report(exchange, atMs);
    const kind = failureKind(single);
    const unsent = this.#unsent.get(kind) ?? 0;
    if (this.#sent >= MOST_A_SECOND) {
      if (unsent > 0 || this.#unsent.size < MOST_KINDS) this.#unsent.set(kind, unsent + 1);
      return;
    }
    this.#sent++;
    this.#unsent.delete(kind);
    this.#send(unsent === 0 ? single : { ...single, count: 1 + unsent });
  }
}

function report(exchange: Exchange, atMs: number): FailureReport {
  const { head, requestId, site, route, status, failures, attempts } = exchange;
  // An attempt failed, and a later one was answered.
  const retried = exchange.failedUpstream !== "" && failures !== undefined && attempts > failures.length;
  const saved = retried && status < 500;
  // What the client got is the later one's.
  const answered = retried && !saved;
  const upstream = answered || exchange.failedUpstream === "" ? exchange.upstream : exchange.failedUpstream;
  const owner = answered ? "" : exchange.causeOwner;
  return {
    ...{ atMs, requestId, site, route, status, method: cut(head.method), path: cut(head.path) },
    owner: owner === "" ? upstream === "" ? "proxy" : "upstream" : owner,
    cause: answered || exchange.cause === "" ? `The answer was ${status}` : cut(exchange.cause),
    upstream: upstream === "" ? null : upstream,
    ...{ saved, count: 1 },
  };
}

function cut(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
