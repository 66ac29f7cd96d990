/**
 * Sets of IP addresses and CIDR blocks, for `trusted_proxies`.
 *
 * @module
 */

import { type Network, parseAddress, parseNetwork } from "./ip_address.ts";

/** A set of addresses and CIDR blocks of both families. */
export class AddressBlocks {
  readonly #blocks: Network[] = [];

  /**
   * @param entries Addresses (`10.0.0.1`, `::1`) and blocks (`10.0.0.0/8`, `fc00::/7`).
   * @throws {SyntaxError} If an entry is neither.
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const block = parseNetwork(entry);
      if (block === undefined) {
        throw new SyntaxError(`Cannot read address "${entry}": expected an IP address or a block such as "10.0.0.0/8"`);
      }
      this.#blocks.push(block);
    }
  }

  get empty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Whether `address` is in the set. False for text that is not an IP address. */
  has(address: string): boolean {
    const bytes = parseAddress(address);
    if (bytes === undefined) return false;
    return this.#blocks.some((block) =>
      block.bytes.length === bytes.length && samePrefix(block.bytes, bytes, block.bits)
    );
  }
}

function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) {
    if (a[i] !== b[i]) return false;
  }
  const rest = bits & 7;
  return rest === 0 || (a[whole] ^ b[whole]) >> (8 - rest) === 0;
}
