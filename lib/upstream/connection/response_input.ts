/**
 * The heads of responses, found in the bytes that arrive from an upstream. They are parsed where they lie; only an
 * incomplete head is copied, until the rest of it has arrived.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { HeadParser } from "../../http1/head_parser.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { type ParsedResponseHead, type ResponseHead, responseHead } from "../../http1/response_head.ts";

/** Notified of interim responses. */
export interface InterimListener {
  /** An interim response (1xx without 101) arrived. */
  interim(head: ResponseHead): void;
}

/** Finds the heads of responses. Owned by its connection. */
export class ResponseInput {
  /** Whether any byte of the awaited head, or of an interim one before it, has arrived. */
  begun = false;
  /** Bytes behind the last head that was found: `bytes[start … end)`. Valid as long as those given to `take`. */
  bytes: Uint8Array<ArrayBuffer> = NOTHING;
  /** Where they begin. */
  start = 0;
  /** Where they end. */
  end = 0;
  readonly #maxHeadBytes: number;
  readonly #listener: InterimListener;
  readonly #parser = new HeadParser("response", { bareLineFeeds: true });
  /** The begin of an incomplete head: the first `#keptBytes` of `#kept`. */
  #kept: Uint8Array<ArrayBuffer> = NOTHING;
  #keptBytes = 0;
  #interim = 0;

  /** @param maxHeadBytes Largest head. */
  constructor(maxHeadBytes: number, listener: InterimListener) {
    this.#maxHeadBytes = maxHeadBytes;
    this.#listener = listener;
  }

  /** Prepares for the next head. */
  begin(): void {
    this.#interim = 0;
    this.begun = false;
    this.#keptBytes = 0;
    this.#parser.begin();
  }

  /**
   * Takes bytes that arrived, up to the end of the final head; interim ones are reported. What follows it is in
   * `bytes`.
   *
   * @returns The head, whose lines last as long as `bytes`. undefined when the head is incomplete: then all bytes are taken.
   * @throws {TransportFailure} `malformed`.
   */
  take(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): ParsedResponseHead | undefined {
    this.begun = true;
    if (this.#keptBytes === 0) this.#view(bytes, start, end);
    else this.#append(bytes, start, end);
    try {
      while (this.start < this.end) {
        const headEnd = this.#parser.parse(this.bytes, this.start, this.end);
        if (headEnd < 0) break;
        const head = responseHead(this.#parser.head);
        this.start = headEnd;
        if (head.status >= 200 || head.status === 101) {
          this.#keptBytes = 0;
          return head;
        }
        if (++this.#interim > INTERIM_LIMIT) throw malformedResponse("it sends too many interim responses");
        this.#listener.interim(head);
        head.expire();
        this.#parser.begin();
      }
    } catch (error) {
      throw error instanceof MalformedMessage ? malformedResponse(error.message) : error;
    }
    this.#keep();
    return undefined;
  }

  /** Drops what it holds. */
  clear(): void {
    this.#view(NOTHING, 0, 0);
    this.#keptBytes = 0;
    if (this.#kept.length > LARGEST_KEPT_BYTES) this.#kept = NOTHING;
  }

  #view(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  #append(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const length = this.#keptBytes + end - start;
    this.#reserve(length);
    this.#kept.set(bytes.subarray(start, end), this.#keptBytes);
    this.#view(this.#kept, 0, length);
  }

  #keep(): void {
    const { bytes, start, end } = this;
    const length = end - start;
    if (length >= this.#maxHeadBytes) throw malformedResponse(`its head is larger than ${this.#maxHeadBytes} bytes`);
    if (bytes === this.#kept) {
      if (start > 0) bytes.copyWithin(0, start, end);
    } else if (length > 0) {
      this.#reserve(length);
      this.#kept.set(bytes.subarray(start, end));
    }
    this.#keptBytes = length;
    this.#view(NOTHING, 0, 0);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#kept.length) return;
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#kept.length, LEAST_BYTES));
    larger.set(this.#kept.subarray(0, this.#keptBytes));
    this.#kept = larger;
  }
}

/** The failure of an upstream that does not speak HTTP/1.1. */
export function malformedResponse(what: string): TransportFailure {
  return new TransportFailure("malformed", `The upstream's response is not HTTP/1.1: ${what}`);
}

const NOTHING = new Uint8Array(0);
const LEAST_BYTES = 1024;
/** Largest buffer that is kept for the next incomplete head. */
const LARGEST_KEPT_BYTES = 4 * 1024;
const INTERIM_LIMIT = 32;
