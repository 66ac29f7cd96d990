/**
 * The part of a client's address that names the client.
 *
 * @module
 */

import { parseAddress } from "../http/address_block.ts";

const GROUPS = 8;
/** Groups of 16 bits that are a client's network. */
const NETWORK_GROUPS = 4;
const COLON = 0x3a;

const groups = new Uint16Array(GROUPS);

/**
 * One text for all addresses of a client, which is no address itself: IPv4 in full; of IPv6 the /64, in any notation. IPv4
 * in IPv6 form is the same client as in its own. A text that is no address comes back as it is.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(":")) return address;
  if (!readGroups(address) && !parseGroups(address)) return address;
  if (mapped()) return `${groups[6] >> 8}.${groups[6] & 255}.${groups[7] >> 8}.${groups[7] & 255}`;
  return String.fromCharCode(...groups.subarray(0, NETWORK_GROUPS));
}

/** Reads the usual notation, hexadecimal groups alone, in one pass. What it does not understand may be valid all the same. */
function readGroups(address: string): boolean {
  let count = 0;
  let gap = -1;
  let value = 0;
  let digits = 0;
  for (let i = 0; i <= address.length; i++) {
    const code = i < address.length ? address.charCodeAt(i) : COLON;
    if (code !== COLON) {
      const digit = hexDigit(code);
      if (digit < 0 || ++digits > 4) return false;
      value = value * 16 + digit;
      continue;
    }
    if (digits > 0) {
      if (count === GROUPS) return false;
      groups[count++] = value;
      value = digits = 0;
    } else if (i > 0 && i < address.length && address.charCodeAt(i - 1) === COLON) {
      if (gap >= 0) return false;
      gap = count;
    } else if (i === 0 ? address.charCodeAt(1) !== COLON : i < address.length || gap !== count) {
      // A group is empty only within "::", which may also begin or end the text
      return false;
    }
  }
  if (gap < 0) return count === GROUPS;
  if (count >= GROUPS) return false;
  groups.copyWithin(GROUPS - (count - gap), gap, count);
  groups.fill(0, gap, GROUPS - (count - gap));
  return true;
}

/** Reads every notation, with brackets, zones and dotted ends. */
function parseGroups(address: string): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined) return false;
  const whole = bytes.length === 16 ? bytes : [...new Array<number>(10).fill(0), 0xff, 0xff, ...bytes];
  for (let i = 0; i < GROUPS; i++) groups[i] = whole[2 * i] << 8 | whole[2 * i + 1];
  return true;
}

/** Whether the address lies in `::ffff:0:0/96`. */
function mapped(): boolean {
  for (let i = 0; i < 5; i++) if (groups[i] !== 0) return false;
  return groups[5] === 0xffff;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
