/**
 * The addresses of a host that is dialled by name, in the order in which they are tried.
 *
 * @module
 */

import { promises as dns } from "node:dns";
import { isIP } from "node:net";

const underWay = new Map<string, Promise<readonly string[]>>();

/**
 * The addresses of `hostname`: the system's order, with the address families taking turns (RFC 8305, section 4). A name
 * that is being looked up already is not looked up again.
 *
 * @throws {Error} When the system knows none.
 */
export function hostAddresses(hostname: string): Promise<readonly string[]> {
  let lookup = underWay.get(hostname);
  if (lookup === undefined) {
    lookup = lookUp(hostname).finally(() => underWay.delete(hostname));
    underWay.set(hostname, lookup);
  }
  return lookup;
}

/** Whether `hostname` is an address itself. */
export function isAddress(hostname: string): boolean {
  return isIP(hostname) !== 0;
}

async function lookUp(hostname: string): Promise<readonly string[]> {
  const found = (await dns.lookup(hostname, { all: true })).map(({ address }) => address);
  // Many hosts files name 127.0.0.1 alone, and many servers listen on ::1 alone (RFC 6761, section 6.3: it is both).
  const all = hostname.toLowerCase() === "localhost" ? [...found, "::1", "127.0.0.1"] : found;
  return interleaved([...new Set(all)]);
}

/** `addresses` with the families taking turns, beginning with that of the first. */
export function interleaved(addresses: readonly string[]): readonly string[] {
  if (addresses.length < 3) return addresses;
  const first = isIP(addresses[0]);
  const same = addresses.filter((address) => isIP(address) === first);
  const other = addresses.filter((address) => isIP(address) !== first);
  const ordered: string[] = [];
  for (let i = 0; ordered.length < addresses.length; i++) {
    if (i < same.length) ordered.push(same[i]);
    if (i < other.length) ordered.push(other[i]);
  }
  return ordered;
}
