/**
 * An attempt's place in the in-flight count of its upstream, and the way in which the upstream learns how it went.
 *
 * @module
 */

import type { TransportFailure } from "../transport/failure.ts";
import { strikeOf } from "./strike.ts";
import type { Upstream } from "./upstream.ts";

/** A place that is given back once, however often it is released. */
export class Slot {
  /** The upstream. */
  readonly upstream: Upstream;
  readonly #trial: boolean;
  readonly #anyway: boolean;
  #held = true;

  /** Made by {@linkcode Upstream.acquire}. */
  constructor(upstream: Upstream, trial: boolean, anyway: boolean) {
    this.upstream = upstream;
    this.#trial = trial;
    this.#anyway = anyway;
  }

  /** The upstream answered with `status`, `tookMs` after the attempt began. */
  answered(status: number, tookMs: number): void {
    this.upstream.answered(status, tookMs, { anyway: this.#anyway, trial: this.#trial });
  }

  /**
   * The attempt failed; it counts against the upstream if it is its fault.
   *
   * @param reused Whether the connection had served before.
   */
  failed(failure: TransportFailure, reused: boolean): void {
    const strike = strikeOf(failure, reused);
    if (strike !== undefined) this.upstream.failed(strike, this.#trial);
  }

  /** Gives the place back. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.upstream.release(this.#trial);
  }

  /** Gives the place back. */
  [Symbol.dispose](): void {
    this.release();
  }
}
