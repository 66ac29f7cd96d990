/**
 * Who reports exchanges that failed: bounded in size and in number.
 *
 * @module
 */

import type { Exchange } from "../proxy/exchange.ts";
import type { FailureReport } from "./failure_report.ts";

const MOST_A_SECOND = 20;
const MOST_CHARS = 500;

/** Passes on the exchanges that failed by an upstream's fault, or by that of BWS. Owned by its generation. */
export class FailureReporter {
  readonly #send: (report: FailureReport) => void;
  #second = 0;
  #sent = 0;

  /** @param send Gets at most 20 a second. */
  constructor(send: (report: FailureReport) => void) {
    this.#send = send;
  }

  /** Looks at an exchange that has ended. */
  look(exchange: Exchange): void {
    const { causeOwner, status } = exchange;
    if (status < 500 && causeOwner !== "upstream" && causeOwner !== "proxy") return;
    const atMs = Date.now();
    const second = Math.floor(atMs / 1000);
    if (second !== this.#second) this.#sent = 0;
    this.#second = second;
    if (this.#sent++ >= MOST_A_SECOND) return;
    this.#send(report(exchange, atMs));
  }
}

function report(exchange: Exchange, atMs: number): FailureReport {
  const { head, requestId, site, route, status, causeOwner, cause, upstream } = exchange;
  return {
    ...{ atMs, requestId, site, route, status, method: cut(head.method), path: cut(head.path) },
    owner: causeOwner === "" ? upstream === "" ? "proxy" : "upstream" : causeOwner,
    cause: cause === "" ? `The answer was ${status}` : cut(cause),
    upstream: upstream === "" ? null : upstream,
  };
}

function cut(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
