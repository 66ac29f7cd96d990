/**
 * X-Request-Id: identifies an exchange in the logs of the client, the proxy and the upstream.
 *
 * @module
 */

import type { WrittenValue } from "../http1/head_bytes.ts";

/** The id of one exchange: written as bytes where a head is composed, and made text where that is asked for. */
export type RequestId = WrittenValue;

/** Generates request ids: a random prefix makes them unique across processes, and a counter makes them cheap. */
export class RequestIds {
  readonly #prefix: string;
  readonly #prefixBytes: Uint8Array;
  #count: number;

  /**
   * @param random Random bytes that identify this process.
   * @param count Of the first id.
   */
  constructor(random: Uint8Array = crypto.getRandomValues(new Uint8Array(9)), count = 0) {
    this.#count = count;
    this.#prefix = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("") + "-";
    this.#prefixBytes = encoder.encode(this.#prefix);
  }

  /** The next id: 18 hex digits that identify this process, then a counter. */
  next(): RequestId {
    return new CountedId(this.#prefix, this.#prefixBytes, this.#count++);
  }
}

/** An id that was given by a trusted peer. */
export function givenId(text: string): RequestId {
  return new GivenId(text);
}

/** Whether an id from a trusted peer may be used in logs and header lines: 1 to 128 of `[A-Za-z0-9._:+/=@-]`. */
export function usableRequestId(id: string): boolean {
  return /^[A-Za-z0-9._:+/=@-]{1,128}$/.test(id);
}

class CountedId implements RequestId {
  readonly #prefix: string;
  readonly #prefixBytes: Uint8Array;
  readonly #count: number;

  constructor(prefix: string, prefixBytes: Uint8Array, count: number) {
    this.#prefix = prefix;
    this.#prefixBytes = prefixBytes;
    this.#count = count;
  }

  get text(): string {
    return this.#prefix + this.#count.toString(RADIX);
  }

  get length(): number {
    return this.#prefixBytes.length + MAX_DIGITS;
  }

  put(target: Uint8Array, at: number): number {
    const prefix = this.#prefixBytes;
    // Quicker than a call of `set` for so few.
    for (let i = 0; i < prefix.length; i++) target[at + i] = prefix[i];
    const start = at + this.#prefixBytes.length;
    if (this.#count > MAX_INT32) {
      return start + encoder.encodeInto(this.#count.toString(RADIX), target.subarray(start)).written;
    }
    // Divisions of integers, which the `| 0` makes of them, take a fraction of the time.
    let end = start + 1;
    for (let rest = this.#count; rest >= RADIX; rest = (rest / RADIX) | 0) end++;
    let rest = this.#count;
    for (let i = end - 1; i >= start; i--) {
      const next = (rest / RADIX) | 0;
      target[i] = DIGITS[rest - RADIX * next];
      rest = next;
    }
    return end;
  }
}

class GivenId implements RequestId {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get length(): number {
    return this.text.length;
  }

  put(target: Uint8Array, at: number): number {
    return at + encoder.encodeInto(this.text, target.subarray(at)).written;
  }
}

const encoder = new TextEncoder();
const RADIX = 36;
const DIGITS = encoder.encode("0123456789abcdefghijklmnopqrstuvwxyz");
const MAX_INT32 = 0x7fff_ffff;
/** Of the largest exact integer. */
const MAX_DIGITS = 11;
