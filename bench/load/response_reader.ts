/**
 * Readers of responses, which come one at a time and are known beforehand: they count bytes, and look closely at what
 * differs from the response before.
 *
 * @module
 */

import type { RequestPlan } from "./request_plan.ts";

/** Reads the responses of one connection. */
export interface ResponseReader {
  /**
   * Takes bytes that have arrived. Returns whether the response is complete.
   *
   * @throws {Error} When it is not the expected one.
   */
  take(bytes: Uint8Array, start: number, end: number): boolean;
}

const CR = 13;
const LF = 10;
const DECODER = new TextDecoder("latin1");
/** What ends a chunked body. The bodies here have no line like it. */
const LAST_CHUNK = "0\r\n\r\n";

/** What the responses of a plan have in common; of all its connections. */
export class ResponseShape {
  readonly status: number;
  readonly bodyBytes: number;
  /** Length of the last head that was parsed. */
  headBytes = 0;
  chunked = false;

  constructor({ status, answerBytes }: Pick<RequestPlan, "status" | "answerBytes">) {
    this.status = status;
    this.bodyBytes = answerBytes;
  }

  /** Whether a head of the known length, and with the expected status, lies at `start`. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    const { status, headBytes } = this;
    const headEnd = start + headBytes;
    return headBytes > 0 && headEnd <= end && bytes[headEnd - 1] === LF && bytes[headEnd - 2] === CR &&
      bytes[headEnd - 3] === LF && bytes[headEnd - 4] === CR && statusAt(bytes, start) === status;
  }

  /** Parses a head. @throws {Error} When it is not the expected one. */
  learn(head: string): void {
    const status = Number(head.slice(9, 12));
    if (status !== this.status) throw new Error(`status ${status}`);
    const lines = head.toLowerCase();
    this.chunked = lines.includes("\r\ntransfer-encoding: chunked");
    const length = /\r\ncontent-length: *(\d+)/.exec(lines)?.[1];
    if (!this.chunked && this.bodyBytes > 0 && Number(length) !== this.bodyBytes) {
      throw new Error(`content-length ${length}`);
    }
    this.headBytes = head.length;
  }
}

/** Reads responses of HTTP/1.1. */
export class HttpReader implements ResponseReader {
  readonly #shape: ResponseShape;
  /** Bytes of the body that have not arrived; -1 before the end of the head. */
  #left = -1;
  /** The last bytes of a chunked body; undefined where it is not chunked. */
  #tail: string | undefined;
  /** The beginning of a head that is not complete. */
  #partial = "";

  constructor(shape: ResponseShape) {
    this.#shape = shape;
  }

  take(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#left >= 0) return this.#takeBody(bytes, start, end);
    const shape = this.#shape;
    let bodyStart: number;
    if (this.#partial === "" && shape.matches(bytes, start, end)) bodyStart = start + shape.headBytes;
    else {
      bodyStart = this.#takeHead(bytes, start, end);
      if (bodyStart < 0) return false;
    }
    this.#tail = shape.chunked ? "" : undefined;
    this.#left = shape.bodyBytes;
    return this.#takeBody(bytes, bodyStart, end);
  }

  /** Returns where the body begins; -1 if the head is not complete. */
  #takeHead(bytes: Uint8Array, start: number, end: number): number {
    const before = this.#partial.length;
    const text = this.#partial + DECODER.decode(bytes.subarray(start, end));
    const headEnd = text.indexOf("\r\n\r\n") + 4;
    this.#partial = headEnd < 4 ? text : "";
    if (headEnd < 4) return -1;
    this.#shape.learn(text.slice(0, headEnd));
    return start + headEnd - before;
  }

  #takeBody(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#tail !== undefined) return this.#takeChunks(this.#tail, bytes, start, end);
    this.#left -= end - start;
    if (this.#left < 0) throw new Error("more bytes than expected");
    if (this.#left > 0) return false;
    this.#left = -1;
    return true;
  }

  /** Of chunks only the end is looked for. */
  #takeChunks(before: string, bytes: Uint8Array, start: number, end: number): boolean {
    const from = Math.max(start, end - LAST_CHUNK.length);
    this.#tail = (before + DECODER.decode(bytes.subarray(from, end))).slice(-LAST_CHUNK.length);
    if (this.#tail !== LAST_CHUNK) return false;
    this.#left = -1;
    return true;
  }
}

function statusAt(bytes: Uint8Array, start: number): number {
  return (bytes[start + 9] - 48) * 100 + (bytes[start + 10] - 48) * 10 + bytes[start + 11] - 48;
}
