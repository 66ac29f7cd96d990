/**
 * A file with addresses and networks, one a line. It is read again when it has changed; one that cannot be read, or is
 * malformed, leaves the addresses as they were.
 *
 * @module
 */

import { AddressBlocks } from "../../http/address_block.ts";
import { parseNetwork } from "../../http/ip_address.ts";
import type { Log } from "../../log/log.ts";
import { OncePerSecond } from "../../state/once_per_second.ts";

/** The addresses of one file. */
export class AddressFile {
  readonly #path: string;
  readonly #log: Log | undefined;
  readonly #looks = new OncePerSecond();
  #blocks: AddressBlocks;
  #stamp: string;
  #looking: Promise<void> | undefined;

  /**
   * Reads the file.
   *
   * @throws {Error} When it cannot be read, or a line is no address and no network.
   */
  constructor(path: string, log?: Log) {
    this.#path = path;
    this.#log = log;
    this.#stamp = stampOf(Deno.statSync(path));
    this.#blocks = new AddressBlocks(addressesOf(Deno.readTextFileSync(path), path));
  }

  /** Whether an address is in the file. Looks once a second whether the file has changed, without waiting for it. */
  has(address: string): boolean {
    if (this.#looks.allows()) this.look();
    return this.#blocks.has(address);
  }

  /** Reads the file again if it has changed; callers at the same time share one look. Never rejects. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  async #look(): Promise<void> {
    let stamp = "";
    try {
      stamp = stampOf(await Deno.stat(this.#path));
      if (stamp === this.#stamp) return;
      const addresses = addressesOf(await Deno.readTextFile(this.#path), this.#path);
      this.#blocks = new AddressBlocks(addresses);
      this.#stamp = stamp;
      this.#log?.log("info", "list of addresses was read again", { file: this.#path, addresses: addresses.length });
    } catch (error) {
      const { message } = error as Error;
      // What is malformed stays so until it changes; anything else may have passed with the next look.
      const known = error instanceof SyntaxError ? stamp : message;
      if (this.#stamp !== known) {
        this.#log?.log("warn", "list of addresses cannot be read, the one before it stays", {
          file: this.#path,
          cause: message,
        });
      }
      this.#stamp = known;
    }
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

function stampOf({ mtime, size, ino }: Deno.FileInfo): string {
  return `${mtime?.getTime()} ${size} ${ino}`;
}
