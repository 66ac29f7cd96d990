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

/** Reads the heads of one connection. Holds memory only while bytes wait in it. */
export class RequestReader {
  /** Index behind what the last {@linkcode read} took. */
  taken = 0;
  readonly #parsers: ParserPool;
  #parser: HeadParser | undefined;
  #window: ByteWindow | undefined;
  #emptyLines = 0;

  constructor(parsers: ParserPool) {
    this.#parsers = parsers;
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

  /** Removes held bytes up to `index` of the window. */
  drop(index: number): void {
    const window = this.#window;
    if (window === undefined) return;
    window.start = index;
    if (window.empty) this.#window = undefined;
  }

  /** Removes everything. */
  clear(): void {
    this.#window = undefined;
    this.done();
  }

  /**
   * Reads the head at the front of `bytes[start … end)`, or reads on in it.
   *
   * @returns The head, valid until {@linkcode done}; why it is refused; or undefined when more bytes are needed.
   */
  read(bytes: Uint8Array, start: number, end: number, limits: ListenerLimits): Head | Refusal | undefined {
    let at = start;
    const parser = this.#parser ??= this.#parsers.take();
    const { head } = parser;
    try {
      while (at < end) {
        // No further than a head may last: what is behind is not judged.
        const headEnd = parser.parse(bytes, at, Math.min(end, at + limits.max_header_size));
        if (headEnd < 0) {
          this.taken = at;
          return end - at > limits.max_header_size ? tooLarge(parser, limits) : undefined;
        }
        at = headEnd;
        if (head.firstLineLength > 0) {
          this.#emptyLines = 0;
          this.taken = at;
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
    this.taken = at;
    this.done();
    return undefined;
  }

  /** The head that was begun is not used any more. */
  done(): void {
    if (this.#parser !== undefined) this.#parsers.give(this.#parser);
    this.#parser = undefined;
  }

  /** The part of the current head that can be read. */
  refused(peer: Peer, scheme: "http" | "https"): RequestHead {
    const parser = this.#parser ??= this.#parsers.take();
    return refusedRequest(parser.head, peer, scheme);
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
