/**
 * The decoder of field blocks (RFC 7541). It is strict: indexes that do not exist, integers and strings that do not end,
 * padding that is not EOS, and table sizes that were not allowed are errors of the connection.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DynamicTable } from "./dynamic_table.ts";
import { HpackError } from "./hpack_error.ts";
import { decodedRoom, decodeHuffman } from "./huffman.ts";
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from "./static_table.ts";

/** Takes the fields of a block, in their order. */
export interface FieldSink {
  /**
   * Called for each field. It must not throw, as the rest of the block changes the table: a sink that has enough takes the rest
   * and drops it. A block of n octets can hold n fields of the table's size each, so the sink bounds what it keeps.
   *
   * @param name One character an octet, as received: whether it is in lower case is for the sink to check.
   * @param value One character an octet (ISO 8859-1).
   * @param sensitive Whether it is marked as never to be indexed (section 6.2.3): it must be sent on with that mark.
   */
  field(name: string, value: string, sensitive: boolean): void;
}

/** Decodes the field blocks of one connection, in the order in which they come. Owned by the connection. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  /** The largest size that the peer may choose for the table: what was announced, and the peer has acknowledged. */
  #maxTableBytes: number;
  /** Whether the announced size is below the table's: the next block must begin with a size (section 4.2). */
  #mustResize = false;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;

  /** @param maxTableBytes SETTINGS_HEADER_TABLE_SIZE that holds at first. */
  constructor(maxTableBytes = 4096) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DynamicTable(maxTableBytes);
  }

  /**
   * The largest table that the peer may choose: SETTINGS_HEADER_TABLE_SIZE as announced, set when the peer has acknowledged
   * it.
   */
  get maxTableBytes(): number {
    return this.#maxTableBytes;
  }

  set maxTableBytes(bytes: number) {
    this.#maxTableBytes = bytes;
    if (bytes < this.#table.maxBytes) this.#mustResize = true;
  }

  /** Octets that the entries of its table count. */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /**
   * Decodes the whole block `block[start … end)`.
   *
   * @throws {HpackError} When it cannot be decoded. The connection must end, as all later blocks depend on this one.
   */
  decode(block: Uint8Array, start: number, end: number, sink: FieldSink): void {
    this.#bytes = block;
    this.#at = start;
    this.#end = end;
    while (this.#at < end && (block[this.#at] & 0xe0) === 0x20) this.#resize();
    if (this.#mustResize) throw new HpackError("a block does not begin with the table size that was reduced");
    while (this.#at < end) this.#field(block[this.#at], sink);
    this.#bytes = NOTHING;
  }

  #field(first: number, sink: FieldSink): void {
    if (first >= 0x80) {
      const index = this.#integer(0x7f);
      sink.field(this.#name(index), this.#value(index), false);
      return;
    }
    const indexed = first >= 0x40;
    if (!indexed && first >= 0x20) throw new HpackError("a table size stands behind a field");
    const index = this.#integer(indexed ? 0x3f : 0x0f);
    const name = index === 0 ? this.#string() : this.#name(index);
    const value = this.#string();
    if (indexed) this.#table.add(name, value);
    sink.field(name, value, !indexed && first >= 0x10);
  }

  #resize(): void {
    const bytes = this.#integer(0x1f);
    if (bytes > this.#maxTableBytes) {
      throw new HpackError(`a table size is ${bytes}, expected at most ${this.#maxTableBytes}`);
    }
    this.#table.resize(bytes);
    this.#mustResize = false;
  }

  #name(index: number): string {
    if (index <= STATIC_ENTRIES && index > 0) return STATIC_NAMES[index];
    return this.#table.name(this.#dynamic(index));
  }

  #value(index: number): string {
    if (index <= STATIC_ENTRIES && index > 0) return STATIC_VALUES[index];
    return this.#table.value(this.#dynamic(index));
  }

  #dynamic(index: number): number {
    const dynamic = index - STATIC_ENTRIES - 1;
    if (dynamic >= 0 && dynamic < this.#table.length) return dynamic;
    throw new HpackError(`an index is ${index}, expected 1 to ${STATIC_ENTRIES + this.#table.length}`);
  }

  /** An integer whose prefix is the bits of `mask` (section 5.1), bounded well above all that a block can mean. */
  #integer(mask: number): number {
    let value = this.#next() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError("an integer is longer than 5 octets");
  }

  #next(): number {
    if (this.#at === this.#end) throw new HpackError("a block ends within a field");
    return this.#bytes[this.#at++];
  }

  #string(): string {
    const huffman = this.#at < this.#end && this.#bytes[this.#at] >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    if (length > this.#end - start) throw new HpackError("a string is longer than its block");
    this.#at = start + length;
    if (!huffman) return octetText(this.#bytes, start, start + length);
    const target = decodedRoom(length) <= scratch.length ? scratch : new Uint8Array(decodedRoom(length));
    return octetText(target, 0, decodeHuffman(this.#bytes, start, start + length, target));
  }
}

/** Text of `bytes[start … end)`, one character an octet. */
function octetText(bytes: Uint8Array, start: number, end: number): string {
  // Short texts are quicker without a native call.
  if (end - start > 12) return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) text += String.fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
  for (; at < end; at++) text += String.fromCharCode(bytes[at]);
  return text;
}

const NOTHING = new Uint8Array(0);
/** Strings that were coded are decoded here, one at a time. */
const scratch = new Uint8Array(8192);
