/**
 * A request's body: read from the client as fast as it is asked for, and no faster.
 *
 * @module
 */

import type { BodySink, BodySource } from "../../http/body.ts";
import { BodyDecoder } from "../../http1/body_decoder.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import type { ClientDeadlines } from "./client_deadlines.ts";
import type { Inbox } from "./inbox.ts";
import type { ParsedRequest } from "./parsed_request.ts";

/** What a body needs of its connection. */
export interface BodyHost {
  /** What has arrived. */
  readonly inbox: Inbox;
  /** Told of each wait for the client. */
  readonly deadlines: ClientDeadlines;
  /** The body is wanted for the first time: a client that waits for 100 (Continue) is given it. */
  bodyWanted(): void;
  /** The last byte of it was read. */
  bodyEnded(): void;
}

/** A body on its way in. */
export class IncomingBody implements BodySource {
  /** What was wrong with its chunks, or empty. */
  fault = "";
  readonly #host: BodyHost;
  readonly #decoder: BodyDecoder;
  readonly #length: number;
  #sink: BodySink | undefined;
  #reason: unknown;
  #pulling: Promise<unknown> | undefined;
  #asked = false;
  #over = false;
  #broken = false;
  #readBytes = 0;
  /** What came with the head. */
  #held: Uint8Array<ArrayBuffer> | undefined;
  #spare: Uint8Array<ArrayBuffer> | undefined;

  /**
   * Takes what came with the head.
   *
   * @throws {Error} When that is badly chunked.
   */
  constructor(request: ParsedRequest, host: BodyHost) {
    this.#host = host;
    this.#length = request.bodyKind === "length" ? request.contentLength : -1;
    this.#decoder = new BodyDecoder(request.bodyKind, request.contentLength);
    this.#held = this.#take();
  }

  /** Whether bytes of it are still to be read from the client. */
  get unread(): boolean {
    return !this.#decoder.done;
  }

  /** As the contract says. */
  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#broken) sink.fail(this.#reason);
  }

  /** Hands out the next piece. */
  pull(): void {
    if (this.#over) return;
    if (this.#held === undefined) this.#pulling = this.#deliver();
    else this.#deliverHeld(this.#held);
  }

  /** Nobody wants more of it. */
  cancel(): void {
    this.#over = true;
  }

  /** Breaks it off. */
  fail(reason: unknown): void {
    this.#broken = true;
    if (this.#over) return;
    this.#over = true;
    this.#reason = reason;
    this.#sink?.fail(reason);
  }

  /**
   * Reads what nobody wanted, so that the next request can be found behind it.
   *
   * @returns Whether its end was reached within `maxBytes`.
   */
  async discard(maxBytes: number): Promise<boolean> {
    if (this.#broken) return false;
    this.#over = true;
    if (this.unread) this.#host.deadlines.awaitBody();
    await this.#pulling;
    const limit = this.#readBytes + maxBytes;
    while (this.unread) {
      if (this.#readBytes > limit || (this.#length >= 0 && this.#length > limit)) return false;
      try {
        if (await this.#next() === undefined) return !this.unread;
      } catch {
        return false;
      }
    }
    return true;
  }

  // A small body came with the head: nothing is waited for.
  #deliverHeld(piece: Uint8Array<ArrayBuffer>): void {
    this.#asked = true;
    this.#held = undefined;
    this.#deliverPiece(piece);
  }

  #deliverPiece(piece: Uint8Array<ArrayBuffer> | undefined): void {
    // Nothing is to come behind this piece: whoever pulls within it finds the body over.
    const last = !this.unread;
    this.#over = last;
    if (piece !== undefined) this.#sink?.piece(piece, "given");
    if (last) this.#sink?.end();
  }

  // Never rejects: whoever reads learns of a failure from the sink, and discard() may be waiting too.
  async #deliver(): Promise<void> {
    if (!this.#asked) {
      this.#asked = true;
      if (this.unread) this.#host.bodyWanted();
    }
    try {
      const chunk = await this.#next();
      if (this.#over) return;
      this.#deliverPiece(chunk);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The next piece, or undefined behind the last. */
  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      return held;
    }
    const { inbox, deadlines } = this.#host;
    while (this.unread) {
      const chunk = this.#take();
      if (chunk !== undefined || !this.unread) return chunk;
      if (inbox.ended) throw new Error("The client left within its body", { cause: inbox.failure });
      deadlines.awaitBody();
      const readBefore = this.#readBytes;
      // A read that was open before is let finish: what it brings is taken next.
      let direct: Uint8Array<ArrayBuffer> | undefined;
      if (inbox.reading) await inbox.more();
      else direct = await this.#readDirect();
      deadlines.endBody(this.#readBytes - readBefore);
      if (direct !== undefined) return direct;
    }
    return undefined;
  }

  async #readDirect(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { inbox } = this.#host;
    const size = this.#length >= 0 ? Math.min(CHUNK_BYTES, this.#length - this.#readBytes) : CHUNK_BYTES;
    const target = this.#spare ?? new Uint8Array(size);
    this.#spare = undefined;
    const count = await inbox.readInto(target);
    if (count === null) return undefined;
    const payload = this.#decode(target, 0, count);
    const { consumed } = this.#decoder;
    if (consumed < count) inbox.fill(target.subarray(consumed, count));
    if (!this.unread) this.#host.bodyEnded();
    // A well-filled buffer is handed over as it is; a few bytes are copied out, so that they do not pin it.
    if (payload * 4 >= target.length) return target.subarray(0, payload);
    this.#spare = target;
    return payload === 0 ? undefined : target.slice(0, payload);
  }

  /** Takes what is in the inbox; undefined when that holds nothing of the body. */
  #take(): Uint8Array<ArrayBuffer> | undefined {
    const { inbox } = this.#host;
    if (inbox.length === 0) return undefined;
    const { start } = inbox;
    const end = this.#decode(inbox.bytes, start, inbox.end);
    inbox.start = this.#decoder.consumed;
    if (!this.unread) this.#host.bodyEnded();
    return end === start ? undefined : inbox.bytes.slice(start, end);
  }

  #decode(bytes: Uint8Array, start: number, end: number): number {
    try {
      const payloadEnd = this.#decoder.take(bytes, start, end);
      this.#readBytes += payloadEnd - start;
      return payloadEnd;
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.fault = `The body is badly chunked: ${error.message}`;
      throw new Error(this.fault, { cause: error });
    }
  }
}

const CHUNK_BYTES = 64 * 1024;
