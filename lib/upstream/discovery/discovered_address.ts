/**
 * What a look-up finds: addresses in one spelling, one order, and each once, so that two sets can be compared.
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
