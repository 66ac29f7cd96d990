/**
 * An upstream's one answer to a handshake, read whole. Unlike `transport/`'s Connection it leaves the connection, and what
 * was read beyond the answer, to its caller, since after 101 they are a WebSocket's.
 *
 * @module
 */

import { ChunkedDecoder } from "../../http1/chunked_decoder.ts";
import type { Wire } from "../../sockets/wire.ts";
import { type FailureKind, TransportFailure } from "../../failure/failure.ts";
import { HeadParser } from "../../http1/head_parser.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { responseHead, type UpstreamHead } from "../../http1/response_head.ts";
import { malformedResponse } from "../../upstream/connection/response_input.ts";

/** Reads an answer off a wire. */
export class ResponseReader {
  readonly #wire: Wire;
  #buffer = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  /** Reads from `wire`, which stays with the caller. */
  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** What was read and belongs to no answer. */
  get rest(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /**
   * The head; interim answers are passed over.
   *
   * @throws {TransportFailure} `closed_unanswered`, `closed_in_head` or `malformed`.
   */
  async head(): Promise<UpstreamHead> {
    const parser = new HeadParser("response", { bareLineFeeds: true });
    for (let interim = 0; interim <= INTERIM_LIMIT;) {
      const headEnd = translated(() => parser.parse(this.#buffer, this.#start, this.#end));
      if (headEnd < 0) {
        if (this.#end - this.#start > MAX_HEAD_BYTES) {
          throw malformedResponse(`its head is larger than ${MAX_HEAD_BYTES} bytes`);
        }
        if (!await this.#more()) throw lost(this.#end === 0 ? "closed_unanswered" : "closed_in_head");
        continue;
      }
      const head = translated(() => responseHead(parser.head));
      this.#start = headEnd;
      parser.begin();
      if (head.status === 101 || head.status >= 200) return head;
      interim++;
    }
    throw malformedResponse("it sends interim answers without end");
  }

  /**
   * The body that belongs to `head`.
   *
   * @throws {TransportFailure} `closed_in_body`, or `malformed`, also for a body beyond {@linkcode MAX_BODY_BYTES}.
   */
  async body(head: UpstreamHead): Promise<Uint8Array<ArrayBuffer>> {
    if (head.status === 204 || head.status === 304) return new Uint8Array(0);
    if (head.chunked) return await this.#chunked();
    const length = head.contentLength;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    while (length < 0 || this.#end - this.#start < length) {
      if (this.#end - this.#start > MAX_BODY_BYTES) throw tooLarge();
      if (await this.#more()) continue;
      if (length >= 0) throw lost("closed_in_body");
      break;
    }
    return this.#buffer.slice(this.#start, length < 0 ? this.#end : this.#start + length);
  }

  async #chunked(): Promise<Uint8Array<ArrayBuffer>> {
    const decoder = new ChunkedDecoder({ bareLineFeeds: true });
    let payloadEnd = this.#start;
    for (;;) {
      // The payload moves together at the front; what comes next is read behind it.
      const end = translated(() => decoder.decode(this.#buffer, payloadEnd, this.#end));
      payloadEnd = this.#end = end;
      if (decoder.done) return this.#buffer.slice(this.#start, payloadEnd);
      if (payloadEnd - this.#start > MAX_BODY_BYTES) throw tooLarge();
      if (!await this.#more()) throw lost("closed_in_body");
    }
  }

  async #more(): Promise<boolean> {
    if (this.#end === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    let count: number | null;
    try {
      count = await this.#wire.read(this.#buffer.subarray(this.#end));
    } catch {
      return false;
    }
    this.#end += count ?? 0;
    return count !== null;
  }
}

/** Longest refusal that is passed on, in bytes. */
export const MAX_BODY_BYTES = 1024 * 1024;

const MAX_HEAD_BYTES = 64 * 1024;
const INTERIM_LIMIT = 32;

/** What `read` gives; what is malformed is the upstream's failure. */
function translated<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof MalformedMessage ? malformedResponse(error.message) : error;
  }
}

function lost(kind: FailureKind): TransportFailure {
  return new TransportFailure(kind, "The upstream closed the connection within the WebSocket handshake");
}

function tooLarge(): TransportFailure {
  return malformedResponse(`it refuses a WebSocket with more than ${MAX_BODY_BYTES} bytes`);
}
