/**
 * Members of JSON lines that have the same value in many lines.
 *
 * @module
 */

import { jsonString } from "./printable.ts";

/** A member whose value is the same in many lines, with what stands behind it: known values are written as bytes at once. */
export class RepeatedMember {
  readonly #before: string;
  readonly #behind: string;
  readonly #known = new Map<string, Uint8Array>();
  #lastValue: string | undefined;
  #last: Uint8Array = new Uint8Array(0);

  /**
   * @param before What stands before the value.
   * @param behind What stands behind it.
   */
  constructor(before: string, behind: string) {
    this.#before = before;
    this.#behind = behind;
  }

  /** The member with `value` as a JSON string. */
  of(value: string): Uint8Array {
    if (value === this.#lastValue) return this.#last;
    let bytes = this.#known.get(value);
    if (bytes === undefined) {
      bytes = encoder.encode(this.#before + jsonString(value) + this.#behind);
      // Clients choose some of the values.
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      if (value.length <= LONGEST_KNOWN) this.#known.set(value, bytes);
    }
    this.#lastValue = value;
    return this.#last = bytes;
  }
}

const encoder = new TextEncoder();
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 512;
