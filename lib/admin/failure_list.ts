/**
 * Exchanges that failed of late, and what each upstream failed with last.
 *
 * @module
 */

import type { FailureReport } from "../gateway/failure_report.ts";
import type { FailureSnapshot } from "./snapshot.ts";

const MOST = 50;
const MOST_FAULTS = 2000;

/** The last failures. Fed by the gateway, or by what workers say. */
export class FailureList {
  readonly #faults = new Map<string, string>();
  #failures: readonly FailureSnapshot[] = [];
  #number = 0;

  /** The newest first, 50 at the most. */
  get failures(): readonly FailureSnapshot[] {
    return this.#failures;
  }

  /** Takes one more. */
  add(report: FailureReport): void {
    this.#failures = [{ number: ++this.#number, ...report }, ...this.#failures.slice(0, MOST - 1)];
    const { upstream, owner, cause } = report;
    if (upstream === null || owner !== "upstream") return;
    this.#faults.delete(upstream);
    this.#faults.set(upstream, cause);
    if (this.#faults.size > MOST_FAULTS) this.#faults.delete(this.#faults.keys().next().value as string);
  }

  /** Why the last attempt at the upstream with this `url` failed; undefined when that went well. */
  faultOf(url: string): string | undefined {
    return this.#faults.get(url);
  }

  /** The upstream with this `url` does well again. */
  forgive(url: string): void {
    this.#faults.delete(url);
  }
}
