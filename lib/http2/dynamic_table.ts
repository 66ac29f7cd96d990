/**
 * The dynamic table of a decoder (RFC 7541, sections 2.3.2 and 4): the fields that were sent last, the newest first.
 *
 * @module
 */

/** Octets that an entry counts beside its name and its value (section 4.1). */
export const ENTRY_OVERHEAD = 32;

/** A first-in, first-out table that is bounded in octets. Owned by the decoder of one connection. */
export class DynamicTable {
  /** A ring: the entry number n, counted from the first ever, is at n modulo the length, a power of two. */
  #names: string[] = new Array(16).fill("");
  #values: string[] = new Array(16).fill("");
  /** How many entries were ever added. */
  #added = 0;
  #length = 0;
  #bytes = 0;
  #maxBytes: number;

  /** @param maxBytes Its size at first. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many entries it has. */
  get length(): number {
    return this.#length;
  }

  /** Octets that its entries count. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Octets that its entries may count. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Name of an entry; 0 is the newest. */
  name(index: number): string {
    return this.#names[(this.#added - 1 - index) & (this.#names.length - 1)];
  }

  /** Value of an entry; 0 is the newest. */
  value(index: number): string {
    return this.#values[(this.#added - 1 - index) & (this.#values.length - 1)];
  }

  /** Adds an entry, for which the oldest ones make room. One that is larger than the table empties it (section 4.4). */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    this.#evictTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    if (this.#length === this.#names.length) this.#grow();
    const place = this.#added++ & (this.#names.length - 1);
    this.#names[place] = name;
    this.#values[place] = value;
    this.#length++;
    this.#bytes += bytes;
  }

  /** Sets its size, and removes the oldest entries that no longer fit. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > bytes && this.#length > 0) {
      const place = (this.#added - this.#length) & (this.#names.length - 1);
      this.#bytes -= this.#names[place].length + this.#values[place].length + ENTRY_OVERHEAD;
      this.#names[place] = this.#values[place] = "";
      this.#length--;
    }
  }

  #grow(): void {
    const oldest = this.#added - this.#length;
    const names: string[] = new Array(2 * this.#names.length).fill("");
    const values: string[] = new Array(2 * this.#names.length).fill("");
    for (let n = oldest; n < this.#added; n++) {
      names[n & (names.length - 1)] = this.#names[n & (this.#names.length - 1)];
      values[n & (names.length - 1)] = this.#values[n & (this.#names.length - 1)];
    }
    this.#names = names;
    this.#values = values;
  }
}
