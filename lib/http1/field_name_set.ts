/**
 * A set of field names that the names of parsed heads are sought in: each is sought once by its text, and then known by its
 * number.
 *
 * @module
 */

import type { FieldName } from "./field_name.ts";

/** Names in lower case. */
export class FieldNameSet {
  readonly #names: ReadonlySet<string>;
  /** By the number of a name: {@linkcode IN}, {@linkcode OUT}, or 0 where it was not sought yet. */
  #found = new Uint8Array(FIRST_NUMBERS);

  constructor(names: Iterable<string>) {
    this.#names = new Set(names);
  }

  /** Whether `lower` is one of them. */
  hasText(lower: string): boolean {
    return this.#names.has(lower);
  }

  /** Whether `name` is one of them. */
  has({ number, lower }: FieldName): boolean {
    if (number < 0) return this.#names.has(lower);
    if (number >= this.#found.length) this.#grow(number);
    const found = this.#found[number];
    if (found !== 0) return found === IN;
    const has = this.#names.has(lower);
    this.#found[number] = has ? IN : OUT;
    return has;
  }

  #grow(number: number): void {
    const larger = new Uint8Array(2 * number);
    larger.set(this.#found);
    this.#found = larger;
  }
}

const IN = 1;
const OUT = 2;
const FIRST_NUMBERS = 128;
