/**
 * Bytes received from an upstream and not yet parsed: finds the heads of responses and the ends of their bodies.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { ByteWindow } from "../../http1/byte_window.ts";
import { BodyDecoder } from "../../http1/body_decoder.ts";
import { CHUNKED, persistent, responseBodyKind } from "../../http1/framing.ts";
import { HeadParser } from "../../http1/head_parser.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { type ResponseHead, responseHead } from "../../http1/response_head.ts";

/** Bytes from one upstream. Owned by its connection, which reads into `room` and moves `start` and `end`. */
export class ResponseInput extends ByteWindow {
  /** Whether any byte of the awaited head, or of an interim one before it, has arrived. */
  begun = false;
  /** Finds the end of the current body; undefined before its head has arrived. */
  body: BodyDecoder | undefined;
  /** Whether the connection can be reused after that body. */
  persistent = false;
  readonly #maxHeadBytes: number;
  readonly #onInterim: () => void;
  readonly #parser = new HeadParser("response", LENIENT);
  #interim = 0;

  /**
   * @param maxHeadBytes Largest head.
   * @param onInterim Called for each interim head.
   */
  constructor(maxHeadBytes: number, onInterim: () => void) {
    super(BUFFER_BYTES);
    this.#maxHeadBytes = maxHeadBytes;
    this.#onInterim = onInterim;
  }

  /** Prepares for the next head. */
  beginHead(): void {
    this.#interim = 0;
    this.begun = false;
    this.#parser.begin();
  }

  /**
   * Takes the final head; interim ones (1xx) are skipped. undefined when it is incomplete: then there is room for more
   * bytes.
   *
   * @throws {TransportFailure} `malformed`.
   */
  takeHead(): ResponseHead | undefined {
    try {
      while (!this.empty) {
        this.begun = true;
        const headEnd = this.#parser.parse(this.bytes, this.start, this.end);
        if (headEnd < 0) break;
        const head = responseHead(this.#parser.head);
        this.start = headEnd;
        this.#parser.begin();
        if (head.status >= 200 || head.status === 101) return head;
        if (++this.#interim > INTERIM_LIMIT) throw malformedResponse("it sends interim answers without end");
        this.#onInterim();
      }
    } catch (error) {
      throw error instanceof MalformedMessage ? malformedResponse(error.message) : error;
    }
    if (!this.makeRoom(this.#maxHeadBytes)) {
      throw malformedResponse(`its head is larger than ${this.#maxHeadBytes} bytes`);
    }
    return undefined;
  }

  /** Prepares for the body of `head`. `method` is the request's. */
  beginBody(head: ResponseHead, method: string): void {
    const declared = head.chunked ? CHUNKED : head.contentLength;
    const kind = responseBodyKind(declared, head.status, method);
    this.body = new BodyDecoder(kind, declared, LENIENT);
    this.persistent = kind !== "close" && head.status !== 101 && persistent(head.minorVersion, head.connection);
  }

  /**
   * Takes the bytes of the body from `bytes[start … end)`, as {@linkcode BodyDecoder.take} does.
   *
   * @throws {TransportFailure} `malformed`.
   */
  takeBody(bytes: Uint8Array, start: number, end: number): number {
    try {
      return (this.body as BodyDecoder).take(bytes, start, end);
    } catch (error) {
      throw error instanceof MalformedMessage ? malformedResponse(error.message) : error;
    }
  }
}

/** The failure of an upstream that does not speak HTTP/1.1. */
export function malformedResponse(what: string): TransportFailure {
  return new TransportFailure("malformed", `The upstream's answer is not HTTP/1.1: ${what}`);
}

/** Bare line feeds are accepted, as by nginx, HAProxy and Caddy. */
const LENIENT = { bareLineFeeds: true };
const BUFFER_BYTES = 16 * 1024;
const INTERIM_LIMIT = 32;
