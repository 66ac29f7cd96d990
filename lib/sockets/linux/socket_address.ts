/**
 * Socket addresses in the arena: the structures sockaddr_in, sockaddr_in6 and sockaddr_un.
 *
 * @module
 */

import { type Arena, ARGUMENTS } from "./arena.ts";
import type { CLibrary } from "./c_library.ts";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** Where an address lies, the length of one that the kernel writes, and text. */
const PLACE = ARGUMENTS.start;
const LENGTH = ARGUMENTS.start + 128;
const TEXT = ARGUMENTS.start + 192;
/** Room for the largest address. */
const MAX_BYTES = 128;
/** Longest path of a unix socket, without its zero byte. */
const MAX_PATH_BYTES = 107;

/** Reads and writes the socket address of one call. Owned by the driver. */
export class SocketAddress {
  /** Its address in memory. */
  readonly place: number;
  /** Family and length of what was written last. */
  family = 0;
  bytes = 0;
  /** What {@linkcode read} has found: the IP address, without brackets, IPv4 as `a.b.c.d` always. */
  address = "";
  /** Port. */
  port = 0;
  readonly #library: CLibrary;
  readonly #arena: Arena;
  /** IPv4 addresses that were read lately, as words, and their texts, at a place that the last octet tells. */
  readonly #recent = new Int32Array(256);
  readonly #texts: string[] = new Array(256).fill("0.0.0.0");

  constructor(library: CLibrary, arena: Arena) {
    this.#library = library;
    this.#arena = arena;
    this.place = arena.address + PLACE;
  }

  /**
   * Writes an IP address and a port.
   *
   * @throws {TypeError} If `address` is not an IP address.
   */
  writeIp(address: string, port: number): void {
    const { bytes } = this.#arena;
    this.family = address.includes(":") ? AF_INET6 : AF_INET;
    this.bytes = this.family === AF_INET ? 16 : 28;
    bytes.fill(0, PLACE, PLACE + this.bytes);
    bytes[PLACE] = this.family;
    bytes[PLACE + 2] = port >> 8;
    bytes[PLACE + 3] = port;
    const zone = address.indexOf("%");
    const plain = zone < 0 ? address : address.slice(0, zone);
    const binary = this.place + (this.family === AF_INET ? 4 : 8);
    if (plain.length > 45 || this.#library.inet_pton(this.family, this.#arena.putText(TEXT, plain), binary) !== 1) {
      throw new TypeError(`Not an IP address: ${address}`);
    }
    if (zone >= 0) this.#arena.put(PLACE + 24, this.#interface(address.slice(zone + 1)));
  }

  /**
   * Writes the path of a unix socket.
   *
   * @throws {TypeError} If it is too long.
   */
  writePath(path: string): void {
    const encoded = new TextEncoder().encode(path);
    if (encoded.length > MAX_PATH_BYTES) throw invalidPath("path must be shorter than SUN_LEN");
    if (encoded.includes(0)) throw invalidPath("paths must not contain interior null bytes");
    this.family = AF_UNIX;
    this.bytes = 2 + encoded.length + 1;
    this.#arena.bytes.fill(0, PLACE, PLACE + this.bytes);
    this.#arena.bytes[PLACE] = AF_UNIX;
    this.#arena.bytes.set(encoded, PLACE + 2);
  }

  /** The address in memory of the length of an address that the kernel is to write. */
  lengthPlace(): number {
    return this.#arena.put(LENGTH, MAX_BYTES);
  }

  /** Reads the address that the kernel has written. */
  read(): void {
    const { bytes } = this.#arena;
    const family = bytes[PLACE];
    if (family !== AF_INET && family !== AF_INET6) {
      this.address = "";
      this.port = 0;
      return;
    }
    this.port = bytes[PLACE + 2] << 8 | bytes[PLACE + 3];
    if (family === AF_INET) this.address = this.#ipv4(PLACE + 4);
    else if (isMapped(bytes, PLACE + 8)) this.address = this.#ipv4(PLACE + 20);
    else this.address = this.#ipv6();
  }

  // A client often comes again: to put its text together takes longer, and so does each look-up by a text that is new.
  #ipv4(start: number): string {
    const { bytes, words } = this.#arena;
    const place = bytes[start + 3];
    if (this.#recent[place] !== words[start >> 2]) {
      this.#recent[place] = words[start >> 2];
      this.#texts[place] = dotted(bytes, start);
    }
    return this.#texts[place];
  }

  #ipv6(): string {
    this.#library.inet_ntop(AF_INET6, this.place + 8, this.#arena.address + TEXT, 64);
    return this.#arena.text(TEXT);
  }

  /** Index of a network interface, by its name or its number. */
  #interface(zone: string): number {
    if (/^\d+$/.test(zone)) return Number(zone);
    return zone.length > 15 ? 0 : this.#library.if_nametoindex(this.#arena.putText(TEXT, zone));
  }
}

function invalidPath(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "EINVAL" });
}

function dotted(bytes: Uint8Array, start: number): string {
  return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
}

/** Whether 16 bytes are an IPv4 address in IPv6 form: `::ffff:0:0/96`. */
function isMapped(bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[start + i] !== 0) return false;
  return bytes[start + 10] === 0xff && bytes[start + 11] === 0xff;
}
