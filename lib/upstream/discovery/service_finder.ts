/**
 * The addresses of a service name: SRV records (RFC 2782) give targets with port, priority and weight; then the
 * targets' addresses are looked up.
 *
 * @module
 */

import type { DiscoveredAddress } from "./addresses.ts";
import type { Finder, Found } from "./discovery.ts";
import { type HostAddresses, HostFinder } from "./host_finder.ts";
import type { NameResolver, ServiceRecord } from "./name_resolver.ts";

/** Finds a service's addresses. Owned by one Discovery; keeps those of each target for when its look-up fails. */
export class ServiceFinder implements Finder {
  readonly #resolver: NameResolver;
  readonly #name: string;
  #targets = new Map<string, HostFinder>();

  /** @param name As in `_http._tcp.example.com`. */
  constructor(resolver: NameResolver, name: string) {
    this.#resolver = resolver;
    this.#name = name;
  }

  /**
   * The addresses of all targets. A target with several gives each of them its record's weight.
   *
   * @throws {Error} When the look-up of the records, or of all targets, fails.
   */
  async find(signal: AbortSignal): Promise<Found> {
    const records = await this.#resolver.services(this.#name, signal);
    this.#keepTargetsOf(records);
    const hosts = await this.#hosts(signal);
    const addresses = records.flatMap((record) => {
      const found = hosts.get(record.target)?.addresses ?? [];
      return found.map((hostname): DiscoveredAddress => ({
        hostname,
        port: record.port,
        // Weight 0 means very rarely, not never (RFC 2782).
        weight: Math.max(1, record.weight),
        priority: record.priority,
      }));
    });
    // The runtime does not give the TTL of SRV records.
    const ttlMs = Math.min(RECORDS_TTL_MS, ...[...hosts.values()].map((host) => host.ttlMs ?? RECORDS_TTL_MS));
    return { addresses, ttlMs };
  }

  #keepTargetsOf(records: readonly ServiceRecord[]): void {
    const known = this.#targets;
    this.#targets = new Map();
    for (const { target } of records) {
      this.#targets.set(target, known.get(target) ?? new HostFinder(this.#resolver, target, 0));
    }
  }

  async #hosts(signal: AbortSignal): Promise<Map<string, HostAddresses>> {
    const hosts = new Map<string, HostAddresses>();
    let failure: unknown;
    const waiting = [...this.#targets];
    const work = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const [target, host] = next;
        try {
          hosts.set(target, await host.addresses(signal));
        } catch (error) {
          failure = error;
          hosts.set(target, { addresses: host.known, ttlMs: undefined });
        }
      }
    };
    await Promise.all(Array.from({ length: TARGETS_AT_A_TIME }, work));
    signal.throwIfAborted();
    if (failure !== undefined && [...hosts.values()].every((host) => host.addresses.length === 0)) throw failure;
    return hosts;
  }
}

const RECORDS_TTL_MS = 30_000;
const TARGETS_AT_A_TIME = 8;
