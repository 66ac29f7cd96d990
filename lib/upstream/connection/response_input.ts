/**
 * What an upstream has sent and nobody has taken: heads of responses are found in it, and where their bodies end.
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
  /** Whether any byte of the head that is looked for is here, or of one before it. */
  begun = false;
  /** Finds the end of the body that is being read; undefined before its head is here. */
  body: BodyDecoder | undefined;
  /** Whether the upstream lets the connection be used again after that body. */
  persistent = false;
  readonly #maxHeadBytes: number;
  readonly #onInterim: () => void;
  readonly #parser = new HeadParser("response", LENIENT);
  #interim = 0;

  /**
   * @param maxHeadBytes Largest head.
   * @param onInterim Told of each interim head.
   */
  constructor(maxHeadBytes: number, onInterim: () => void) {
    super(BUFFER_BYTES);
    this.#maxHeadBytes = maxHeadBytes;
    this.#onInterim = onInterim;
  }

  /** Begins to look for a head. */
  beginHead(): void {
    this.#interim = 0;
    this.begun = false;
    this.#parser.begin();
  }

  /**
   * Takes the final head out; interim ones (1xx) are passed over. Undefined when it is not all here: then there is room for
   * more of it.
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

  /** Begins to look for the end of a body. `method` is the request's. */
  beginBody(head: ResponseHead, method: string): void {
    const declared = head.chunked ? CHUNKED : head.contentLength;
    const kind = responseBodyKind(declared, head.status, method);
    this.body = new BodyDecoder(kind, declared, LENIENT);
    this.persistent = kind !== "close" && head.status !== 101 && persistent(head.minorVersion, head.connection);
  }

  /**
   * Takes what belongs to the body from `bytes[start … end)`, as {@linkcode BodyDecoder.take} does.
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

/** Bare line feeds are let pass, as nginx, HAProxy and Caddy let them. */
const LENIENT = { bareLineFeeds: true };
const BUFFER_BYTES = 16 * 1024;
const INTERIM_LIMIT = 32;
