/**
 * IP hash: requests of one client go to one upstream.
 *
 * @module
 */

import { addressGroups, isMapped } from "../../http/ip_address.ts";
import { ConsistentHash } from "./consistent_hash.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { hashText } from "./string_hash.ts";
import { Weighted } from "./weighted.ts";

/**
 * Chooses by the client's address, after `trusted_proxies` were applied. An IPv6 client is its /64: that is what one
 * household or machine is given, and its hosts change the rest of it every day (RFC 8981). A client without an address,
 * as on a unix socket, has no key: an upstream is drawn by weight.
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

/** Groups of 16 bits that are a client's network. */
const NETWORK_GROUPS = 4;

/**
 * One text for all addresses of a client, which is no address itself: IPv4 in full; of IPv6 the /64, in any notation.
 * IPv4 in IPv6 form is the same client as in its own. A text that is no address comes back as it is.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const groups = addressGroups(address);
  if (groups === undefined) return address;
  if (isMapped(groups)) return `${groups[6] >> 8}.${groups[6] & 255}.${groups[7] >> 8}.${groups[7] & 255}`;
  return String.fromCharCode(...groups.subarray(0, NETWORK_GROUPS));
}
