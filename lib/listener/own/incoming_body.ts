/**
 * The body of a request: pieces are passed on as they arrive, lent, while they are asked for. Otherwise the socket is
 * paused, and what has arrived is held.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource } from "../../http/body.ts";
import { BodyDecoder } from "../../http1/body_decoder.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import type { ParsedRequest } from "./parsed_request.ts";

/** The connection of a body. */
export interface BodyHost {
  /** More of the body is asked for: the client may send it. */
  bodyWanted(): void;
  /** Bytes of the body arrived. */
  bodyArrived(bytes: number): void;
  /** No more of the body is asked for at the moment. */
  bodyPaused(): void;
  /** The last byte of the body has arrived. */
  bodyComplete(): void;
}

/** A body that is being received. Owned by its request. */
export class IncomingBody implements BodySource {
  /** What is wrong with its chunks, or empty. */
  fault = "";
  readonly #host: BodyHost;
  readonly #decoder = new BodyDecoder();
  readonly #chunked: boolean;
  #sink: BodySink | undefined;
  #wanted = false;
  /** Whether no further call of the sink is made. */
  #over = false;
  #broken = false;
  #reason: unknown;
  /** Bytes that arrived together with the head, lent for as long as the head is responded to. */
  #early: Uint8Array<ArrayBuffer> | undefined;
  /** Payload that arrived before it was asked for, oldest first. */
  #held: Uint8Array<ArrayBuffer>[] | undefined;
  #heldBytes = 0;
  /** Payload that may still be read past; negative while the body is wanted. */
  #discardable = -1;

  constructor({ bodyKind, contentLength }: ParsedRequest, host: BodyHost) {
    this.#host = host;
    this.#chunked = bodyKind === "chunked";
    this.#decoder.begin(bodyKind, contentLength, WITH_TRAILERS);
  }

  /** Whether bytes of it are still to arrive. */
  get incomplete(): boolean {
    return !this.#decoder.done;
  }

  /** Bytes of it that are still to arrive, as far as they are known: 0 for a chunked body. */
  get remaining(): number {
    return this.#decoder.remaining;
  }

  /** Whether bytes of it are still to arrive, and how many is not known. */
  get endless(): boolean {
    return this.#chunked && this.incomplete;
  }

  /**
   * Takes what arrived together with the head. It stays lent until {@linkcode keepEarly}, so that whoever pulls in
   * between gets it without a copy.
   *
   * @returns The index behind what belongs to the body.
   */
  begin(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    const payloadEnd = this.#decode(bytes, start, end);
    if (payloadEnd > start) this.#early = bytes.subarray(start, payloadEnd);
    if (end > start) this.#host.bodyArrived(payloadEnd - start);
    return this.#decoder.consumed;
  }

  /** Copies what arrived together with the head, if nobody has taken it. */
  keepEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined && !this.#over) this.#hold(early.slice());
  }

  /**
   * Takes its part of `bytes[start … end)`.
   *
   * @returns The index behind what belongs to the body.
   */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    if (this.#broken) return end;
    const payloadEnd = this.#decode(bytes, start, end);
    if (this.fault !== "") {
      this.fail(new TransportFailure("client_left", this.fault));
      return end;
    }
    const { consumed, done } = this.#decoder;
    const count = payloadEnd - start;
    this.#host.bodyArrived(count);
    if (this.#over) this.#discarded(count);
    else if (count > 0) {
      if (this.#wanted) this.#deliver(bytes.subarray(start, payloadEnd), "lent");
      else this.#hold(bytes.slice(start, payloadEnd));
    } else if (this.#wanted) {
      if (done) this.#end();
      else this.#host.bodyWanted();
    }
    if (done) this.#host.bodyComplete();
    return consumed;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#broken) sink.fail(this.#reason);
  }

  pull(): void {
    if (this.#over) return;
    this.#wanted = true;
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      return this.#deliver(early, "lent");
    }
    const held = this.#held?.shift();
    if (held !== undefined) {
      this.#heldBytes -= held.length;
      return this.#deliver(held, "given");
    }
    if (this.#decoder.done) this.#end();
    else this.#host.bodyWanted();
  }

  cancel(): void {
    this.#over = true;
    this.#wanted = false;
    this.#held = undefined;
    this.#early = undefined;
    if (this.#sink !== undefined && this.incomplete && !this.#broken) this.#host.bodyPaused();
  }

  /** Breaks it off. */
  fail(reason: unknown): void {
    if (this.#broken || (this.#over && !this.incomplete)) return;
    this.#broken = true;
    this.#reason = reason;
    if (this.#over) return;
    this.#over = true;
    this.#held = undefined;
    this.#sink?.fail(reason);
  }

  /**
   * Reads past the rest, so that the next request can be found behind it.
   *
   * @returns Whether that is done: false where more than `maxBytes` are known to follow, or it is broken.
   */
  discard(maxBytes: number): boolean {
    this.cancel();
    if (this.#broken || this.remaining > maxBytes) return false;
    this.#discardable = maxBytes;
    return true;
  }

  /** Whether more was read past than {@linkcode discard} allows, or what follows is malformed. */
  get undiscardable(): boolean {
    return this.#broken || this.#discardable === 0;
  }

  #discarded(bytes: number): void {
    if (this.#discardable > 0) this.#discardable = Math.max(0, this.#discardable - bytes);
  }

  #hold(bytes: Uint8Array<ArrayBuffer>): void {
    (this.#held ??= []).push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= MAX_HELD_BYTES && this.incomplete) this.#host.bodyPaused();
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>, ownership: "lent" | "given"): void {
    this.#wanted = false;
    // Nothing follows this piece: whoever pulls within it finds the body over.
    const last = this.#decoder.done && this.#early === undefined &&
      (this.#held === undefined || this.#held.length === 0);
    this.#over = last;
    this.#sink?.piece(bytes, ownership);
    if (last) this.#sink?.end(this.#trailers());
    else if (!this.#wanted && this.incomplete && !this.#over) this.#host.bodyPaused();
  }

  #end(): void {
    this.#over = true;
    this.#sink?.end(this.#trailers());
  }

  #trailers(): readonly string[] | undefined {
    const { trailers } = this.#decoder;
    return trailers === undefined || trailers.length === 0 ? undefined : trailers;
  }

  #decode(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    try {
      return this.#decoder.take(bytes, start, end);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.fault = `The body is badly chunked: ${error.message}`;
      return start;
    }
  }
}

const WITH_TRAILERS = { keepTrailers: true };
/** Payload that is held before the socket is paused. */
const MAX_HELD_BYTES = 64 * 1024;
