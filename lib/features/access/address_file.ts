/**
 * A file with addresses and networks, one a line, read again when it has changed.
 *
 * @module
 */

import { AddressBlocks } from "../../http/address_block.ts";
import { parseNetwork } from "../../http/ip_address.ts";
import type { Log } from "../../log/log.ts";
import { type FileContent, RereadFile } from "../reread_file.ts";

interface Addresses {
  readonly blocks: AddressBlocks;
  /** Number of entries. */
  readonly count: number;
}

const ADDRESSES: FileContent<Addresses> = {
  parse(text, path) {
    const addresses = addressesOf(text, path);
    return { blocks: new AddressBlocks(addresses), count: addresses.length };
  },
  name: "list of addresses",
  stays: "the one before it stays",
  facts: ({ count }) => ({ addresses: count }),
};

/** The addresses of one file. */
export class AddressFile {
  readonly #file: RereadFile<Addresses>;

  /**
   * Reads the file.
   *
   * @throws {Error} When it cannot be read, or a line is no address and no network.
   */
  constructor(path: string, log?: Log) {
    this.#file = new RereadFile(path, ADDRESSES, log);
  }

  /** Whether an address is in the file. Looks once a second whether the file has changed, without waiting for it. */
  has(address: string): boolean {
    return this.#file.content.blocks.has(address);
  }

  /** Reads the file again if it has changed; callers at the same time share one look. Never rejects. */
  look(): Promise<void> {
    return this.#file.look();
  }
}

/**
 * The entries of a file.
 *
 * @throws {SyntaxError} When a line is no address and no network.
 */
export function addressesOf(content: string, path: string): string[] {
  const addresses: string[] = [];
  content.split("\n").forEach((line, index) => {
    const entry = line.replace(/#.*/, "").trim();
    if (entry === "") return;
    if (parseNetwork(entry) === undefined) {
      throw new SyntaxError(
        `Cannot read ${path}, line ${index + 1}: ${JSON.stringify(entry)}, expected an IP address or a network`,
      );
    }
    addresses.push(entry);
  });
  return addresses;
}
