/**
 * The requests of one connection: bytes that arrived and belong to no request yet, and the head that they begin.
 *
 * @module
 */

import { ByteWindow } from "../../http1/byte_window.ts";
import type { Head } from "../../http1/head.ts";
import type { HeadParser } from "../../http1/head_parser.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import type { Peer, RequestHead } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import type { ListenerLimits } from "./limits_schema.ts";
import { refusalOf } from "./parsed_request.ts";
import type { ParserPool } from "./parser_pool.ts";
import { refusedRequest } from "./refused_request.ts";

/** The connection whose requests are read. */
export interface RequestTaker {
  readonly parts: { readonly parsers: ParserPool; readonly limits: ListenerLimits };
  /** Whether the next request may begin. */
  readonly ready: boolean;
  /**
   * A head was read.
   *
   * @param head Valid until {@linkcode RequestReader.done}.
   * @param at The index behind it; `bytes[at … end)` follows it.
   * @returns The index behind what belongs to the request.
   */
  begin(head: Head, bytes: Uint8Array<ArrayBuffer>, at: number, end: number): number;
  /** What was read is no request. */
  refuse(refusal: Refusal): void;
}

/** Reads the heads of one connection. Holds memory only while bytes wait in it. */
export class RequestReader {
  readonly #taker: RequestTaker;
  #parser: HeadParser | undefined;
  #window: ByteWindow | undefined;
  #emptyLines = 0;
  /** Index behind what was last read. */
  #taken = 0;
  /** Whether requests are being read: those behind follow without another call. */
  #reading = false;

  constructor(taker: RequestTaker) {
    this.#taker = taker;
  }

  /** Bytes that are held; undefined where none are. */
  get window(): ByteWindow | undefined {
    return this.#window;
  }

  /** Number of bytes that are held. */
  get heldBytes(): number {
    return this.#window?.length ?? 0;
  }

  /** Whether a head has begun. */
  get begun(): boolean {
    return this.#parser !== undefined;
  }

  /** Holds a copy of `bytes[start … end)`, behind those that are held. */
  hold(bytes: Uint8Array, start: number, end: number): void {
    (this.#window ??= new ByteWindow(WINDOW_BYTES)).append(bytes, start, end);
  }

  /** Removes everything. */
  clear(): void {
    this.#window = undefined;
    this.done();
  }

  /**
   * Reads requests in `bytes[start … end)`, until one of them waits for its response.
   *
   * @returns The index behind what was read.
   */
  read(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    this.#reading = true;
    try {
      return this.#take(bytes, start, end);
    } finally {
      this.#reading = false;
    }
  }

  /** Reads the requests that are held. Returns whether that was done: false within the call that reads requests. */
  readHeld(): boolean {
    if (this.#reading) return false;
    const window = this.#window;
    if (window === undefined) return true;
    window.start = this.read(window.bytes, window.start, window.end);
    if (window.empty && this.#window === window) this.#window = undefined;
    return true;
  }

  /** The head that was begun is not used any more. */
  done(): void {
    if (this.#parser !== undefined) this.#taker.parts.parsers.give(this.#parser);
    this.#parser = undefined;
  }

  /** The part of the current head that can be read. */
  refused(peer: Peer, scheme: "http" | "https"): RequestHead {
    const parser = this.#parser ??= this.#taker.parts.parsers.take();
    return refusedRequest(parser.head, peer, scheme);
  }

  #take(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    const taker = this.#taker;
    let at = start;
    while (at < end && taker.ready) {
      const found = this.#readHead(bytes, at, end, taker.parts.limits);
      if (found instanceof Refusal) {
        taker.refuse(found);
        return end;
      }
      at = this.#taken;
      if (found === undefined) return at;
      at = taker.begin(found, bytes, at, end);
    }
    return at;
  }

  /** The head at the front of `bytes[start … end)`, why it is refused, or undefined when more bytes are needed. */
  #readHead(bytes: Uint8Array, start: number, end: number, limits: ListenerLimits): Head | Refusal | undefined {
    let at = start;
    const parser = this.#parser ??= this.#taker.parts.parsers.take();
    const { head } = parser;
    try {
      while (at < end) {
        // No further than a head may last: what is behind is not judged.
        const headEnd = parser.parse(bytes, at, Math.min(end, at + limits.max_header_size));
        if (headEnd < 0) {
          this.#taken = at;
          return end - at > limits.max_header_size ? tooLarge(parser, limits) : undefined;
        }
        at = headEnd;
        if (head.firstLineLength > 0) {
          this.#emptyLines = 0;
          this.#taken = at;
          return head;
        }
        // An empty line before a request is let pass (RFC 9112, section 2.2), but not many.
        if (++this.#emptyLines > MAX_EMPTY_LINES) {
          return new Refusal(400, "There are empty lines where a request was expected");
        }
        parser.begin();
      }
    } catch (error) {
      if (error instanceof MalformedMessage) return refusalOf(error);
      throw error;
    }
    this.#taken = at;
    this.done();
    return undefined;
  }
}

function tooLarge({ firstLineRead, head }: HeadParser, { max_header_size }: ListenerLimits): Refusal {
  return !firstLineRead || head.firstLineLength > max_header_size / 2 + 32
    ? new Refusal(414, "The first line is too long")
    : new Refusal(431, `The head is larger than ${max_header_size} bytes`);
}

const MAX_EMPTY_LINES = 2;
/** Large enough for most heads. */
const WINDOW_BYTES = 2 * 1024;
