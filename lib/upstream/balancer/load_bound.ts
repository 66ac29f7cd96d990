/**
 * Consistent hashing with bounded loads: no upstream carries more than a multiple of the mean, whatever the keys are.
 *
 * @module
 */

import type { Candidate } from "./policy.ts";

/**
 * How many upstreams are read for one request. The sum over a pool of up to this many is exact; in a larger pool each
 * upstream's part of it is at most n / 32 requests old.
 */
const WINDOW = 32;

/**
 * An upstream with fewer attempts in flight is never over the bound. A browser opens six connections: without this
 * minimum, its requests would be spread in an idle pool, where twice the mean is soon reached.
 */
export const FREE_IN_FLIGHT = 8;

/** Tracks the load of a pool, and decides which upstreams may take more. */
export class LoadBound {
  readonly #factor: number;
  #upstreams: readonly Candidate[] = [];
  #inFlight = new Float64Array(0);
  #weight = new Float64Array(0);
  #totalInFlight = 0;
  #totalWeight = 0;
  #cursor = 0;

  /** @param factor How many times the mean an upstream may carry, 1 or more; 0 for no bound. */
  constructor(factor: number) {
    this.#factor = factor;
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly Candidate[]): void {
    this.#upstreams = [...upstreams];
    this.#inFlight = new Float64Array(upstreams.length);
    this.#weight = new Float64Array(upstreams.length);
    this.#totalInFlight = 0;
    this.#totalWeight = 0;
    this.#cursor = 0;
    for (let seen = 0; seen < upstreams.length; seen += WINDOW) this.#look();
  }

  /** Whether `candidate` is under the bound without a look at the others. */
  free(candidate: Candidate): boolean {
    return this.#factor === 0 || candidate.inFlight < FREE_IN_FLIGHT;
  }

  /**
   * Most attempts of an upstream for each unit of its weight, if one more attempt begins. Upstreams that are not
   * available do not count, so that the others may take their share.
   */
  perWeight(): number {
    if (this.#factor === 0) return Infinity;
    this.#look();
    return this.#factor * (this.#totalInFlight + 1) / this.#totalWeight;
  }

  /** Whether `candidate` may take one more attempt, given {@linkcode perWeight}. */
  allows(candidate: Candidate, perWeight: number): boolean {
    const { inFlight } = candidate;
    // The last part keeps a quotient that should be whole from being rounded up by an error in its last bit
    return inFlight < FREE_IN_FLIGHT || inFlight < perWeight * candidate.weight - 1e-9;
  }

  /** Takes the counts of the next window anew. */
  #look(): void {
    const count = this.#upstreams.length;
    const steps = Math.min(count, WINDOW);
    for (let step = 0; step < steps; step++) {
      const index = this.#cursor;
      this.#cursor = index + 1 === count ? 0 : index + 1;
      const upstream = this.#upstreams[index];
      const available = upstream.available;
      const inFlight = available ? upstream.inFlight : 0;
      const weight = available ? upstream.weight : 0;
      this.#totalInFlight += inFlight - this.#inFlight[index];
      this.#totalWeight += weight - this.#weight[index];
      this.#inFlight[index] = inFlight;
      this.#weight[index] = weight;
    }
  }
}
