/**
 * The addresses of a name: normalized, ordered and without duplicates, so that two sets can be compared; and the
 * contract of their sources. In a single process that is a look-up, in a worker the supervisor, so that all workers use
 * the same ones.
 *
 * @module
 */

import { isIP } from "node:net";

/** One address of a name: an upstream of its pool. */
export interface DiscoveredAddress {
  /** IP address in its shortest form, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Share of the load, 1 or more. */
  readonly weight: number;
  /** Addresses with a higher number are used when no upstream with a lower one is available. */
  readonly priority: number;
}

/** A name to be looked up. */
export interface AddressSource {
  /** URL with the name: `http://name:port`, or `srv+http://name`. */
  readonly url: string;
  /** Time between two look-ups, in milliseconds; by TTL without it. */
  readonly intervalMs: number | undefined;
}

/** A watch over one name. */
export interface AddressWatch {
  /** Resolves with the first addresses, or after a timeout. */
  readonly ready: Promise<void>;
  /** Ends it. */
  stop(): void;
}

/** A source of addresses and their changes. */
export interface Addresses {
  /** Calls `onChange` with all addresses of a name, when they are first known and whenever they change. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch;
}

/** Key of an address, unique in its pool: `10.0.0.1:80`, `[fd00::1]:80`. */
export function addressKey(address: DiscoveredAddress): string {
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

/**
 * Sorted by priority, then IPv4 before IPv6, then address and port; each address and port once. Of duplicates the one
 * with the lower priority stays, then the one with the higher weight.
 */
export function orderedAddresses(addresses: readonly DiscoveredAddress[]): readonly DiscoveredAddress[] {
  const best = new Map<string, DiscoveredAddress>();
  for (const address of addresses) {
    const key = addressKey(address);
    const known = best.get(key);
    if (known === undefined || preferred(address, known)) best.set(key, address);
  }
  return [...best.values()].sort(compare);
}

/** Whether two sets from {@linkcode orderedAddresses} are equal. */
export function sameAddresses(one: readonly DiscoveredAddress[], other: readonly DiscoveredAddress[]): boolean {
  return one.length === other.length && one.every((address, index) => {
    const twin = other[index];
    return address.hostname === twin.hostname && address.port === twin.port && address.weight === twin.weight &&
      address.priority === twin.priority;
  });
}

/**
 * An IP address in its shortest form; undefined for one that cannot be an upstream: no address, one with a zone, or the
 * unspecified ones. Filtering name servers return the latter for blocked names; a connection to them would reach this
 * machine.
 */
export function upstreamAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes("%")) return undefined;
  const address = family === 4 ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
  return address === "0.0.0.0" || address === "::" ? undefined : address;
}

function preferred(one: DiscoveredAddress, other: DiscoveredAddress): boolean {
  return one.priority < other.priority || (one.priority === other.priority && one.weight > other.weight);
}

function compare(one: DiscoveredAddress, other: DiscoveredAddress): number {
  return one.priority - other.priority ||
    Number(one.hostname.includes(":")) - Number(other.hostname.includes(":")) ||
    (one.hostname < other.hostname ? -1 : one.hostname > other.hostname ? 1 : one.port - other.port);
}
