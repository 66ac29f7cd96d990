/**
 * Who the client is: the peer of the connection, unless that peer is a proxy that the config trusts.
 *
 * @module
 */

import { AddressBlocks } from "./address_block.ts";
import { nodeAddress } from "./forwarded.ts";

/** Decides whose word about a client is believed. */
export class ProxyTrust {
  readonly #blocks: AddressBlocks;
  readonly #known = new Map<string, boolean>();

  /**
   * @param trustedProxies Addresses and CIDR blocks, as in `trusted_proxies`.
   * @throws {SyntaxError} When an entry is neither.
   */
  constructor(trustedProxies: readonly string[]) {
    this.#blocks = new AddressBlocks(trustedProxies);
  }

  /** Whether the peer at `address` is a trusted proxy. */
  trusts(address: string): boolean {
    if (this.#blocks.empty) return false;
    let trusted = this.#known.get(address);
    if (trusted === undefined) {
      trusted = this.#blocks.has(address);
      if (this.#known.size >= 1024) this.#known.clear();
      this.#known.set(address, trusted);
    }
    return trusted;
  }

  /**
   * The client's address behind a trusted peer: the rightmost entry of X-Forwarded-For that is not a trusted proxy
   * itself; the leftmost when all are. An entry that is no address ends the search, since what stands left of it was
   * written by nobody known.
   *
   * @param peerAddress The peer's address, already found to be trusted.
   * @param forwardedFor X-Forwarded-For as it came, its lines joined by commas.
   */
  clientAddress(peerAddress: string, forwardedFor: string): string {
    const entries = forwardedFor.split(",");
    let client = peerAddress;
    for (let i = entries.length - 1; i >= 0; i--) {
      const address = nodeAddress(entries[i].trim());
      if (address === undefined) return client;
      client = address;
      if (!this.trusts(address)) return client;
    }
    return client;
  }
}
