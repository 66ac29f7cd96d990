/**
 * IP addresses and CIDR blocks, for `trusted_proxies`.
 *
 * @module
 */

/** A set of addresses and CIDR blocks of both families. */
export class AddressBlocks {
  readonly #blocks: { bytes: number[]; bits: number }[] = [];

  /**
   * @param entries Addresses (`10.0.0.1`, `::1`) and blocks (`10.0.0.0/8`, `fc00::/7`).
   * @throws {SyntaxError} When an entry is neither.
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const block = parseBlock(entry);
      if (block === undefined) {
        throw new SyntaxError(`Cannot read address "${entry}": expected an IP address or a block such as "10.0.0.0/8"`);
      }
      this.#blocks.push(block);
    }
  }

  /** Whether there is nothing in the set. */
  get empty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Whether `address` lies in the set. What is no IP address never does. */
  has(address: string): boolean {
    const bytes = parseAddress(address);
    if (bytes === undefined) return false;
    return this.#blocks.some((block) =>
      block.bytes.length === bytes.length && samePrefix(block.bytes, bytes, block.bits)
    );
  }
}

/** `::ffff:1.2.3.4` as `1.2.3.4`, without brackets and zone; anything else as it is. */
export function plainAddress(address: string): string {
  let plain = address;
  if (plain.charCodeAt(0) === 0x5b) plain = plain.slice(1, plain.lastIndexOf("]"));
  const zone = plain.indexOf("%");
  if (zone >= 0) plain = plain.slice(0, zone);
  return plain.startsWith("::ffff:") && plain.includes(".") ? plain.slice(7) : plain;
}

/** The 4 or 16 bytes of an IP address, or undefined. IPv4 in IPv6 form gives 4. */
export function parseAddress(text: string): number[] | undefined {
  const plain = plainAddress(text);
  return plain.includes(":") ? parseIpv6(plain) : parseIpv4(plain);
}

function parseBlock(entry: string): { bytes: number[]; bits: number } | undefined {
  const slash = entry.indexOf("/");
  const bytes = parseAddress(slash < 0 ? entry : entry.slice(0, slash));
  if (bytes === undefined) return undefined;
  if (slash < 0) return { bytes, bits: bytes.length * 8 };
  const text = entry.slice(slash + 1);
  // `::ffff:10.0.0.0/104` counts the 96 bits in front of IPv4.
  const mapped = bytes.length === 4 && entry.slice(0, slash).includes(":");
  const bits = Number(text) - (mapped ? 96 : 0);
  return /^\d{1,3}$/.test(text) && bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    // A leading zero is octal to some readers and decimal to others.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return bytes;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const front = groups(halves[0]);
  const back = halves.length === 2 ? groups(halves[1]) : [];
  if (front === undefined || back === undefined) return undefined;
  const missing = 16 - front.length - back.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...front, ...new Array<number>(missing).fill(0), ...back];
}

function groups(text: string): number[] | undefined {
  const bytes: number[] = [];
  if (text === "") return bytes;
  const parts = text.split(":");
  for (let i = 0; i < parts.length; i++) {
    if (i === parts.length - 1 && parts[i].includes(".")) {
      const tail = parseIpv4(parts[i]);
      if (tail === undefined) return undefined;
      bytes.push(...tail);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(parts[i])) return undefined;
    const group = parseInt(parts[i], 16);
    bytes.push(group >> 8, group & 0xff);
  }
  return bytes;
}

function samePrefix(a: number[], b: number[], bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) {
    if (a[i] !== b[i]) return false;
  }
  const rest = bits & 7;
  return rest === 0 || (a[whole] ^ b[whole]) >> (8 - rest) === 0;
}
