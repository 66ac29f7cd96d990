/**
 * Consistent hashing: the upstream for a key, which stays the same while other upstreams are added, removed or fail.
 *
 * @module
 */

import { eligible, GUESSES } from "./draw.ts";
import { LoadBound } from "./load_bound.ts";
import type { Candidate } from "./policy.ts";
import { SETTINGS_DEFAULTS } from "./policy_settings.ts";
import { PartitionTable } from "./partition_table.ts";
import { mix } from "./string_hash.ts";

/** Step between a key's guesses, odd so that they do not soon repeat. */
const NEXT_GUESS = 0x9e3779b9;

/**
 * The upstreams of a pool by key. An upstream that cannot be picked, or that is over the bound, leaves its keys to the
 * others by weight, each key to its own substitute; no other key moves, and they come back when it does. In constant
 * time where enough upstreams can be picked, else by one pass over all.
 */
export class ConsistentHash<C extends Candidate> {
  readonly #partitions = new PartitionTable();
  readonly #bound: LoadBound;
  #upstreams: readonly C[] = [];

  /**
   * @param upstreams Upstreams of the pool.
   * @param balanceFactor How many times the mean an upstream may carry, 1 or more; 0 for no bound.
   */
  constructor(upstreams: readonly C[], balanceFactor: number = SETTINGS_DEFAULTS.balance_factor) {
    this.#bound = new LoadBound(balanceFactor);
    this.update(upstreams);
  }

  /**
   * The upstream for a key; undefined when none is available.
   *
   * @param hash Hash of the key, with 32 good bits.
   * @param avoid Upstreams that are never picked.
   */
  pick(hash: number, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 0) return undefined;
    let perWeight = -1;
    let point = hash;
    for (let guess = 0; guess < GUESSES; guess++) {
      const candidate = upstreams[this.#partitions.owner(point)];
      if (eligible(candidate, avoid)) {
        if (this.#bound.free(candidate)) return candidate;
        if (perWeight < 0) perWeight = this.#bound.perWeight();
        if (this.#bound.allows(candidate, perWeight)) return candidate;
      }
      point = mix(point + NEXT_GUESS);
    }
    return this.#search(point, avoid, perWeight < 0 ? this.#bound.perWeight() : perWeight);
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
    this.#partitions.update(upstreams);
    this.#bound.update(upstreams);
  }

  /** The nearest of all that can be picked; one over the bound only where there is no other. */
  #search(point: number, avoid: readonly C[] | undefined, perWeight: number): C | undefined {
    let best: C | undefined;
    let bestAllowed = false;
    let bestDistance = Infinity;
    for (let i = 0; i < this.#upstreams.length; i++) {
      const candidate = this.#upstreams[i];
      if (!eligible(candidate, avoid)) continue;
      const allowed = this.#bound.allows(candidate, perWeight);
      if (bestAllowed && !allowed) continue;
      const distance = this.#partitions.distance(point, i);
      if (allowed === bestAllowed && distance >= bestDistance) continue;
      best = candidate;
      bestAllowed = allowed;
      bestDistance = distance;
    }
    return best;
  }
}
