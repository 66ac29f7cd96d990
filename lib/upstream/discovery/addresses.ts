/**
 * The addresses of a name: in one spelling, one order, and each once, so that two sets can be compared; and who tells them. In
 * one process that is a look-up, in a worker the supervisor, so that all workers agree.
 *
 * @module
 */

import { isIP } from "node:net";

/** Where an upstream of a name listens. */
export interface DiscoveredAddress {
  /** IP address in its shortest spelling, without brackets. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Share of the load, 1 or more. */
  readonly weight: number;
  /** Addresses with a higher number are for when no upstream of a lower one is available. */
  readonly priority: number;
}

/** A name to be looked up. */
export interface AddressSource {
  /** URL with the name: `http://name:port`, or `srv+http://name`. */
  readonly url: string;
  /** Time between two look-ups, in milliseconds; the answers' TTL without it. */
  readonly intervalMs: number | undefined;
}

/** A watch over one name. */
export interface AddressWatch {
  /** Resolves with the first addresses, or when they take too long. */
  readonly ready: Promise<void>;
  /** Ends it. */
  stop(): void;
}

/** Tells addresses, and their changes. */
export interface Addresses {
  /** Calls `onChange` with all addresses of a name, when they are first known and whenever they change. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch;
}

/** Tells an address from the others of its pool: `10.0.0.1:80`, `[fd00::1]:80`. */
export function addressKey(address: DiscoveredAddress): string {
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

/**
 * By priority, then IPv4 before IPv6, then address and port; each address and port once. What is named twice counts with
 * its lower priority, then with its higher weight.
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

/** Whether two sets from {@linkcode orderedAddresses} say the same. */
export function sameAddresses(one: readonly DiscoveredAddress[], other: readonly DiscoveredAddress[]): boolean {
  return one.length === other.length && one.every((address, index) => {
    const twin = other[index];
    return address.hostname === twin.hostname && address.port === twin.port && address.weight === twin.weight &&
      address.priority === twin.priority;
  });
}

/**
 * An IP address in its shortest spelling, or undefined for what cannot be an upstream: no address, one with a zone, and
 * the unspecified ones. The latter are how filtering name servers say "blocked"; a connection to them would reach this
 * very machine.
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
