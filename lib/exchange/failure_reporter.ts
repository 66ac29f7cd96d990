/**
 * Reports of exchanges that failed, limited in size and in number.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";
import { failureKind, type FailureReport } from "./failure_report.ts";

const MOST_A_SECOND = 20;
const MOST_CHARS = 500;
const MOST_KINDS = 100;

/** Reports the exchanges that failed because of an upstream or of BWS. Owned by its generation. */
export class FailureReporter {
  readonly #send: (report: FailureReport) => void;
  readonly #now: () => number;
  /** Number of failures above the rate limit, by kind; the next report of the kind includes them. */
  readonly #unsent = new Map<string, number>();
  #second = 0;
  #sent = 0;

  /**
   * @param send Called at most 20 times a second.
   * @param now Milliseconds since 1970; for tests.
   */
  constructor(send: (report: FailureReport) => void, now: () => number = Date.now) {
    this.#send = send;
    this.#now = now;
  }

  /** Reports an exchange that has ended, if it failed. */
  look(exchange: Exchange): void {
    const { causeOwner, status } = exchange;
    if (exchange.reportsState) return;
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
  // An attempt failed, and a later one got a response.
  const retried = exchange.failedUpstream !== "" && failures !== undefined && attempts > failures.length;
  const saved = retried && status < 500;
  // The retry got a response, and that is an error as well.
  const retryFailed = retried && !saved;
  const upstream = retryFailed || exchange.failedUpstream === "" ? exchange.upstream : exchange.failedUpstream;
  const owner = retryFailed ? "" : exchange.causeOwner;
  return {
    ...{ atMs, requestId, site, route, status, method: cut(head.method), path: cut((head.original ?? head).path) },
    owner: owner === "" ? upstream === "" ? "proxy" : "upstream" : owner,
    cause: retryFailed || exchange.cause === "" ? `The status was ${status}` : cut(exchange.cause),
    upstream: upstream === "" ? null : upstream,
    ...{ saved, count: 1 },
  };
}

function cut(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
