/**
 * The encoder of field blocks (RFC 7541). Fields that repeat become one octet; strings are Huffman coded where that is
 * shorter. Fields whose values could be guessed by their compressed size are never indexed (section 7.1.3).
 *
 * @module
 */

import { EncoderTable } from "./encoder_table.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";

/** Encodes the field blocks of one connection. Owned by the connection; blocks must be sent in the order of their making. */
export class HpackEncoder {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  #length = 0;
  readonly #table = new EncoderTable(DEFAULT_TABLE_BYTES);
  /** The smallest size since the last block, and the one that holds now; both are told at the next block. */
  #smallestBytes = DEFAULT_TABLE_BYTES;
  #tableBytes = DEFAULT_TABLE_BYTES;
  #resized = false;

  /** The block, in its first {@linkcode length} octets. Valid until the next {@linkcode begin}; another array after it grew. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Length of the block. */
  get length(): number {
    return this.#length;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The table never becomes larger than it is at first, 4096 octets. */
  setMaxTableBytes(bytes: number): void {
    const size = Math.min(bytes, DEFAULT_TABLE_BYTES);
    if (size === this.#tableBytes) return;
    this.#smallestBytes = Math.min(this.#smallestBytes, size);
    this.#tableBytes = size;
    this.#resized = true;
  }

  /** Begins a block. */
  begin(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = new Uint8Array(FIRST_BYTES);
    if (!this.#resized) return;
    this.#reserve(12);
    // Both, as the smallest one has removed entries (section 4.2).
    if (this.#smallestBytes < this.#tableBytes) this.#resize(this.#smallestBytes);
    this.#resize(this.#tableBytes);
    this.#smallestBytes = this.#tableBytes;
    this.#resized = false;
  }

  /**
   * Adds a field.
   *
   * @param name In lower case, one character an octet.
   * @param value One character an octet (ISO 8859-1). Characters that are no octet become `?`.
   * @param sensitive Whether it must never be indexed, here and further on.
   */
  field(name: string, value: string, sensitive = false): void {
    // The longest: two lengths of six octets, an index of six, and the strings.
    this.#reserve(name.length + value.length + 18);
    const table = this.#table;
    const known = table.named(name);
    if (sensitive || (known.sensitive && !(name === "cookie" && value.length >= GUESSABLE_COOKIE))) {
      return this.#literal(0x10, 0x0f, table.nameIndex(known), name, value);
    }
    const index = table.fieldIndex(known, value);
    if (index > 0) return this.#integer(0x80, 0x7f, index);
    const nameIndex = table.nameIndex(known);
    if (table.add(known, name, value)) this.#literal(0x40, 0x3f, nameIndex, name, value);
    else this.#literal(0, 0x0f, nameIndex, name, value);
  }

  #resize(bytes: number): void {
    this.#table.resize(bytes);
    this.#integer(0x20, 0x1f, bytes);
  }

  #literal(pattern: number, mask: number, nameIndex: number, name: string, value: string): void {
    this.#integer(pattern, mask, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #integer(pattern: number, mask: number, value: number): void {
    const bytes = this.#bytes;
    if (value < mask) {
      bytes[this.#length++] = pattern | value;
      return;
    }
    bytes[this.#length++] = pattern | mask;
    value -= mask;
    for (; value >= 0x80; value >>>= 7) bytes[this.#length++] = value & 0x7f | 0x80;
    bytes[this.#length++] = value;
  }

  #string(text: string): void {
    const coded = huffmanLength(text);
    if (coded < text.length) {
      this.#integer(0x80, 0x7f, coded);
      this.#length = encodeHuffman(text, this.#bytes, this.#length);
      return;
    }
    this.#integer(0, 0x7f, text.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      bytes[at++] = code > 0xff ? QUESTION_MARK : code;
    }
    this.#length = at;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** The size of both tables until it is changed (RFC 9113, section 6.5.2). */
const DEFAULT_TABLE_BYTES = 4096;
const FIRST_BYTES = 512;
const MAX_KEPT_BYTES = 16384;
/** A cookie from this length on cannot be guessed octet by octet, as whole fields are compared (RFC 7541, section 7.1.3). */
const GUESSABLE_COOKIE = 20;
const QUESTION_MARK = 0x3f;
