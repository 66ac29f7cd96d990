/**
 * An attempt's place in the in-flight count of its upstream, and the way in which the upstream learns how it went.
 *
 * @module
 */

import type { TransportFailure } from "../failure/failure.ts";
import { failureClassOf } from "./failure_class.ts";
import type { Upstream } from "./upstream.ts";

/**
 * Longest time that an attempt holds a place for a trial, in milliseconds. An upstream that needs longer may be well, as in a
 * long poll: the next attempt is to find out.
 */
const TRIAL_MS = 5000;

/** A place that is given back once, however often it is released. */
export class Slot {
  /** The upstream. */
  readonly upstream: Upstream;
  readonly #trial: boolean;
  readonly #anyway: boolean;
  #held = true;
  #inTrial: boolean;
  #trialTimer: ReturnType<typeof setTimeout> | undefined;

  /** Made by {@linkcode Upstream.acquire}. */
  constructor(upstream: Upstream, trial: boolean, anyway: boolean) {
    this.upstream = upstream;
    this.#trial = trial;
    this.#anyway = anyway;
    this.#inTrial = trial;
    if (!trial) return;
    this.#trialTimer = setTimeout(() => this.endTrial(), TRIAL_MS);
    Deno.unrefTimer(this.#trialTimer as unknown as number);
  }

  /**
   * The upstream answered with `status`, `tookMs` after the attempt began.
   *
   * @param untimed Whether the time says nothing of the upstream, as in a long poll.
   */
  answered(status: number, tookMs: number, untimed = false): void {
    this.upstream.answered(status, tookMs, { anyway: this.#anyway, trial: this.#trial, untimed });
    // The head has decided. How long the client takes for the body must keep no other attempt waiting.
    this.endTrial();
  }

  /**
   * Lets another attempt be the trial, as when this one waits for its client. What comes of it counts as a trial's outcome
   * all the same.
   */
  endTrial(): void {
    if (!this.#inTrial) return;
    this.#inTrial = false;
    clearTimeout(this.#trialTimer);
    this.upstream.endTrial();
  }

  /**
   * The attempt failed; it counts against the upstream if it is its fault.
   *
   * @param reused Whether the connection had served before.
   */
  failed(failure: TransportFailure, reused: boolean): void {
    const strike = failureClassOf(failure, reused);
    if (strike !== undefined) this.upstream.failed(strike, this.#trial);
  }

  /** Gives the place back. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.endTrial();
    this.upstream.release();
  }

  /** Gives the place back. */
  [Symbol.dispose](): void {
    this.release();
  }
}
