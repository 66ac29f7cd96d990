/**
 * The client's address: that of the connection's peer or, if the peer is a trusted proxy, the one that it reports.
 *
 * @module
 */

import { AddressBlocks } from "./address_block.ts";
import { nodeAddress } from "./forwarded.ts";

/** Decides which peers are trusted to report a client. */
export class ProxyTrust {
  readonly #blocks: AddressBlocks;
  readonly #known = new Map<string, boolean>();

  /**
   * @param trustedProxies Addresses and CIDR blocks, as in `trusted_proxies`.
   * @throws {SyntaxError} If an entry is neither.
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
   * The client's address behind a trusted peer: the rightmost entry of X-Forwarded-For that is not a trusted proxy; the
   * leftmost entry if all are trusted. An entry that is not an address ends the search, since an unknown sender wrote
   * the entries to its left.
   *
   * @param peerAddress Address of the peer, which is trusted.
   * @param forwardedFor X-Forwarded-For as received, its lines joined by commas.
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
