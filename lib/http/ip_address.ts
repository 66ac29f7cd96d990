/**
 * Parses IP addresses. Brackets, zones and ports are not part of an address; {@linkcode plainAddress} removes brackets
 * and the zone.
 *
 * @module
 */

const GROUPS = 8;
const COLON = 0x3a;
const DOT = 0x2e;

/**
 * The address that was parsed last: eight groups of 16 bits, IPv4 in IPv6 form. Reused, because addresses are parsed
 * for each request.
 */
const groups = new Uint16Array(GROUPS);

/** Whether `text` is an IPv4 address in dotted decimals without leading zeros, which some parsers read as octal. */
export function isIpv4(text: string): boolean {
  return readIpv4(text, 0);
}

/** Whether `text` is an IPv6 address, without brackets and without a zone. */
export function isIpv6(text: string): boolean {
  return readIpv6(text);
}

/** Whether `text` is an IP address of either family. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** `::ffff:1.2.3.4` as `1.2.3.4`, without brackets and zone; anything else as it is. */
export function plainAddress(address: string): string {
  let plain = address;
  if (plain.charCodeAt(0) === 0x5b) plain = plain.slice(1, plain.lastIndexOf("]"));
  const zone = plain.indexOf("%");
  if (zone >= 0) plain = plain.slice(0, zone);
  return plain.startsWith("::ffff:") && plain.includes(".") && !plain.includes(":", 7) ? plain.slice(7) : plain;
}

/**
 * The eight groups of an address, IPv4 as `::ffff:a.b.c.d`; undefined if `text` is not an address. Brackets and a zone
 * are accepted. Each call returns the same array, which is valid until the next call.
 */
export function addressGroups(text: string): Uint16Array | undefined {
  if (readIpv6(text) || readIpv4(text, 0)) return groups;
  const plain = plainAddress(text);
  return plain !== text && (readIpv6(plain) || readIpv4(plain, 0)) ? groups : undefined;
}

/** Whether the groups are an IPv4 address: `::ffff:0:0/96`. */
export function isMapped(address: Uint16Array): boolean {
  for (let i = 0; i < 5; i++) if (address[i] !== 0) return false;
  return address[5] === 0xffff;
}

/** The 4 or 16 bytes of an IP address, or undefined. IPv4 in IPv6 form has 4. Brackets and a zone are accepted. */
export function parseAddress(text: string): number[] | undefined {
  const address = addressGroups(text);
  if (address === undefined) return undefined;
  const bytes: number[] = [];
  for (let i = isMapped(address) ? 6 : 0; i < GROUPS; i++) bytes.push(address[i] >> 8, address[i] & 0xff);
  return bytes;
}

/** The one text of eight groups, as RFC 5952 has it; IPv4 in IPv6 form as `a.b.c.d`. */
export function addressText(address: Uint16Array): string {
  if (!isMapped(address)) return ipv6Text(address);
  return `${address[6] >> 8}.${address[6] & 0xff}.${address[7] >> 8}.${address[7] & 0xff}`;
}

/** The text of eight groups as IPv6, whatever the family. */
export function ipv6Text(address: Uint16Array): string {
  const text = Array.from(address, (group) => group.toString(16)).join(":");
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** The address of a network such as `10.0.0.0/8` and the length of its prefix; a single address has its full length. */
export interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** An IP address or a network in CIDR form, or undefined. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = isIpAddress(address) ? parseAddress(address) : undefined;
  if (bytes === undefined) return undefined;
  if (slash < 0) return { bytes, bits: bytes.length * 8 };
  const count = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(count)) return undefined;
  // `::ffff:10.0.0.0/104` counts the 96 bits in front of IPv4.
  const bits = Number(count) - (bytes.length === 4 && address.includes(":") ? 96 : 0);
  return bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** The canonical form of an address, IPv6 in brackets: equal addresses have equal text. */
export function normalAddress(address: string): string {
  return isIpv6(address) ? new URL(`http://[${address}]`).hostname : address;
}

/** Whether a listener on `host` is reachable from this machine only: 127.0.0.0/8, `::1` or `localhost`. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  const bytes = parseAddress(host);
  if (bytes === undefined) return false;
  return bytes.length === 4 ? bytes[0] === 127 : bytes[15] === 1 && bytes.slice(0, 15).every((byte) => byte === 0);
}

/**
 * Whether two listeners on one port conflict.
 *
 * @param a IP address or host name; undefined for all interfaces of both families.
 */
export function overlap(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  const [one, other] = [normalAddress(a.toLowerCase()), normalAddress(b.toLowerCase())];
  // A socket on "::" accepts both families
  if (one === other || one === "[::]" || other === "[::]") return true;
  if (one === "0.0.0.0") return !isIpv6(b);
  if (other === "0.0.0.0") return !isIpv6(a);
  return isLocalName(one, other) || isLocalName(other, one);
}

function isLocalName(name: string, address: string): boolean {
  return name === "localhost" && (address === "127.0.0.1" || address === "[::1]");
}

/**
 * Reads dotted decimals from `start` to the end of the text into the last two groups, and fills the others with the
 * prefix of IPv4 in IPv6 form.
 */
function readIpv4(text: string, start: number): boolean {
  groups.fill(0, 0, 5);
  groups[5] = 0xffff;
  return readDotted(text, start, 6);
}

/** Reads dotted decimals from `start` to the end of the text into two groups, the first at `place`. */
function readDotted(text: string, start: number, place: number): boolean {
  let byte = 0;
  let digits = 0;
  let count = 0;
  for (let i = start; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (digits === 0 || count === 4) return false;
      if (count % 2 === 0) groups[place + count / 2] = byte << 8;
      else groups[place + (count - 1) / 2] |= byte;
      count++;
      byte = digits = 0;
      continue;
    }
    const digit = code - 0x30;
    // Some parsers read a number with a leading zero as octal.
    if (digit < 0 || digit > 9 || (digits > 0 && byte === 0)) return false;
    byte = byte * 10 + digit;
    if (byte > 255) return false;
    digits++;
  }
  return count === 4;
}

/**
 * Reads an IPv6 address in one pass, without brackets and zone; it may end with dotted decimals (RFC 4291, section
 * 2.2).
 */
function readIpv6(text: string): boolean {
  let count = 0;
  let gap = -1;
  let value = 0;
  let digits = 0;
  let groupStart = 0;
  if (text.charCodeAt(0) === COLON && text.charCodeAt(1) !== COLON) return false;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : COLON;
    if (code === DOT) {
      if (groupStart === 0 || digits === 0 || count > GROUPS - 2 || !readDotted(text, groupStart, count)) return false;
      count += 2;
      break;
    }
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
    } else if (i > 0 && i < text.length && text.charCodeAt(i - 1) === COLON) {
      // An empty group is allowed only in "::", which may occur once
      if (gap >= 0) return false;
      gap = count;
    } else if (i > 0 && !(i === text.length && gap === count)) {
      return false;
    }
    groupStart = i + 1;
  }
  if (gap < 0) return count === GROUPS;
  if (count >= GROUPS) return false;
  groups.copyWithin(GROUPS - (count - gap), gap, count);
  groups.fill(0, gap, GROUPS - (count - gap));
  return true;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
