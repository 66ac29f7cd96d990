/**
 * First: the first available upstream in the order of the config. The others are used when it is not available.
 *
 * @module
 */

import { eligible } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/** Picks the first upstream that is available, so the order of the pool is an order of preference. */
export class First<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[];

  /** Takes no fields and draws no random numbers. */
  constructor(upstreams: readonly C[], _options?: PolicyOptions) {
    this.#upstreams = [...upstreams];
  }

  /** The first available upstream; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    for (let i = 0; i < upstreams.length; i++) {
      if (eligible(upstreams[i], avoid)) return upstreams[i];
    }
    return undefined;
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
  }
}
