/**
 * Header hash: requests with one value in a header, such as a tenant or an API key, go to one upstream.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import { ConsistentHash } from "./consistent_hash.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { hashText } from "./string_hash.ts";
import { Weighted } from "./weighted.ts";

/**
 * Chooses by the first line of the header that the settings name. A request without it, or with an empty one, has no
 * key: an upstream is drawn by weight, so that such requests do not all go to one.
 */
export class HeaderHash<C extends Candidate> implements Policy<C> {
  readonly #hash: ConsistentHash<C>;
  readonly #keyless: Weighted<C>;
  readonly #lowerName: string;

  /** Takes no fields. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    const { balance_factor, header = "" } = options?.settings ?? {};
    this.#hash = new ConsistentHash(upstreams, balance_factor);
    this.#keyless = new Weighted(upstreams, options);
    this.#lowerName = header.toLowerCase();
  }

  /** The upstream of the header's value; undefined when none is available. */
  pick(request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const value = request === undefined ? undefined : headerValue(request.head.headers, this.#lowerName);
    if (value === undefined || value === "") return this.#keyless.pick(request, avoid);
    return this.#hash.pick(hashText(value), avoid);
  }

  /** Replaces the upstreams; keys of those that stay do not move. */
  update(upstreams: readonly C[]): void {
    this.#hash.update(upstreams);
    this.#keyless.update(upstreams);
  }
}
