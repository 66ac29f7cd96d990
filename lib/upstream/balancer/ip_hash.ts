/**
 * IP hash: requests of one client come to one upstream.
 *
 * @module
 */

import { clientNetwork } from "./client_network.ts";
import { ConsistentHash } from "./consistent_hash.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { hashText } from "./string_hash.ts";
import { Weighted } from "./weighted.ts";

/**
 * Chooses by the client's address behind trusted proxies. An IPv6 client is its /64: that is what one household or machine
 * is given, and its hosts change the rest of it every day (RFC 8981). A client without an address, as on a unix socket, has
 * no key: an upstream is drawn by weight.
 */
export class IpHash<C extends Candidate> implements Policy<C> {
  readonly #hash: ConsistentHash<C>;
  readonly #keyless: Weighted<C>;

  /** Takes no fields. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#hash = new ConsistentHash(upstreams, options?.settings?.balance_factor);
    this.#keyless = new Weighted(upstreams, options);
  }

  /** The upstream of the client; undefined when none is available. */
  pick(request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    if (request === undefined || request.clientAddress === "") return this.#keyless.pick(request, avoid);
    return this.#hash.pick(hashText(clientNetwork(request.clientAddress)), avoid);
  }

  /** Replaces the upstreams; keys of those that stay do not move. */
  update(upstreams: readonly C[]): void {
    this.#hash.update(upstreams);
    this.#keyless.update(upstreams);
  }
}
