/**
 * The addresses of a host name: each A and AAAA record is an upstream.
 *
 * @module
 */

import type { Finder, Found } from "./discovery.ts";
import type { NameResolver } from "./name_resolver.ts";

/** Addresses of a host. */
export interface HostAddresses {
  /** IP addresses; none when there is no such host. */
  readonly addresses: readonly string[];
  /** How long they are valid, in milliseconds; undefined when that is not known. */
  readonly ttlMs: number | undefined;
}

/** Finds a host's addresses. Owned by one Discovery; keeps them for when the look-up of one family fails. */
export class HostFinder implements Finder {
  readonly #resolver: NameResolver;
  readonly #name: string;
  readonly #port: number;
  #ipv4: readonly string[] = [];
  #ipv6: readonly string[] = [];

  /** @param port The port of every address. */
  constructor(resolver: NameResolver, name: string, port: number) {
    this.#resolver = resolver;
    this.#name = name;
    this.#port = port;
  }

  /** The host's addresses, all with weight 1 and priority 0. */
  async find(signal: AbortSignal): Promise<Found> {
    const { addresses, ttlMs } = await this.addresses(signal);
    return { addresses: addresses.map((hostname) => ({ hostname, port: this.#port, weight: 1, priority: 0 })), ttlMs };
  }

  /**
   * The host's addresses.
   *
   * @throws {Error} When the look-up fails.
   */
  async addresses(signal: AbortSignal): Promise<HostAddresses> {
    const { ipv4, ipv6, ttlMs } = await this.#resolver.addresses(this.#name, signal);
    // A name server that fails for one family must not remove half of the pool.
    this.#ipv4 = ipv4 ?? this.#ipv4;
    this.#ipv6 = ipv6 ?? this.#ipv6;
    return { addresses: this.known, ttlMs };
  }

  /** The last result. */
  get known(): readonly string[] {
    return [...this.#ipv4, ...this.#ipv6];
  }
}
