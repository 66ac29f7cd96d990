/**
 * The part of a client's address that names the client.
 *
 * @module
 */

import { addressGroups, isMapped } from "../../http/ip_address.ts";

/** Groups of 16 bits that are a client's network. */
const NETWORK_GROUPS = 4;

/**
 * One text for all addresses of a client, which is no address itself: IPv4 in full; of IPv6 the /64, in any notation. IPv4
 * in IPv6 form is the same client as in its own. A text that is no address comes back as it is.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const groups = addressGroups(address);
  if (groups === undefined) return address;
  if (isMapped(groups)) return `${groups[6] >> 8}.${groups[6] & 255}.${groups[7] >> 8}.${groups[7] & 255}`;
  return String.fromCharCode(...groups.subarray(0, NETWORK_GROUPS));
}
