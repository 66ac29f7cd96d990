/**
 * URI hash: requests for one path go to one upstream, so that each upstream caches its own part of the paths.
 *
 * @module
 */

import { ConsistentHash } from "./consistent_hash.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { SETTINGS_DEFAULTS } from "./policy_settings.ts";
import { hashText } from "./string_hash.ts";
import { Weighted } from "./weighted.ts";

/**
 * Chooses by the path as sent, with its query if `include_query` is set. Host and method are no part of the key.
 * Without a request it draws by weight.
 */
export class UriHash<C extends Candidate> implements Policy<C> {
  readonly #hash: ConsistentHash<C>;
  readonly #keyless: Weighted<C>;
  readonly #includeQuery: boolean;

  /** Takes no fields. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    const { balance_factor, include_query } = options?.settings ?? {};
    this.#hash = new ConsistentHash(upstreams, balance_factor);
    this.#keyless = new Weighted(upstreams, options);
    this.#includeQuery = include_query ?? SETTINGS_DEFAULTS.include_query;
  }

  /** The upstream of the request's path; undefined when none is available. */
  pick(request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    if (request === undefined) return this.#keyless.pick(request, avoid);
    const { path, query } = request.head;
    return this.#hash.pick(hashText(this.#includeQuery && query !== "" ? path + query : path), avoid);
  }

  /** Replaces the upstreams; keys of those that stay do not move. */
  update(upstreams: readonly C[]): void {
    this.#hash.update(upstreams);
    this.#keyless.update(upstreams);
  }
}
