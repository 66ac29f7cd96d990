/**
 * The addresses behind a host name: each A and AAAA record is an upstream.
 *
 * @module
 */

import type { Finder, Found } from "./discovery.ts";
import type { NameResolver } from "./name_resolver.ts";

/** Addresses of a host. */
export interface HostAddresses {
  /** IP addresses; none when there is no such host. */
  readonly addresses: readonly string[];
  /** How long they are good, in milliseconds; undefined when nobody said. */
  readonly ttlMs: number | undefined;
}

/** Finds a host's addresses. Owned by one Discovery; remembers them for when one family cannot be told. */
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
   * @throws {Error} When they cannot be told now.
   */
  async addresses(signal: AbortSignal): Promise<HostAddresses> {
    const { ipv4, ipv6, ttlMs } = await this.#resolver.addresses(this.#name, signal);
    // A name server that loses every second answer must not take half of the pool away.
    this.#ipv4 = ipv4 ?? this.#ipv4;
    this.#ipv6 = ipv6 ?? this.#ipv6;
    return { addresses: this.known, ttlMs };
  }

  /** What was found last. */
  get known(): readonly string[] {
    return [...this.#ipv4, ...this.#ipv6];
  }
}
