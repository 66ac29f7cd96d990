/**
 * The body of the response that a connection receives: decoded where it lies and passed on to its sink as it arrives.
 * The socket is paused while the sink has not asked for more.
 *
 * @module
 */

import type { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource, Ownership } from "../../http/body.ts";
import { BodyDecoder } from "../../http1/body_decoder.ts";
import { CHUNKED, persistent, responseBodyKind } from "../../http1/framing.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { PartViews } from "../../http1/part_views.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { Deadlines } from "./deadlines.ts";
import { malformedResponse, type ResponseInput } from "./response_input.ts";

/** The request that a response belongs to. */
export interface AskedRequest {
  /** Its method, which decides whether a body follows. */
  readonly method: string;
  /** Whether the client accepts trailer fields. Read for chunked responses only. */
  readonly acceptsTrailers: boolean;
}

/** The bodies of one connection's responses, one after the other. Owned by the connection. */
export class ResponseBody implements BodySource {
  /** Whether the last head that arrived announces a body that its response must not have, as one to HEAD may. */
  forbidden = false;
  readonly #socket: Socket;
  readonly #deadlines: Deadlines;
  readonly #onBroken: (failure: unknown) => void;
  readonly #decoder = new BodyDecoder();
  #persistent = false;
  /** Bytes of it that are decoded, or arrived with the head, and that the sink has not taken. */
  #held: Uint8Array<ArrayBuffer> = NOTHING;
  #heldStart = 0;
  #heldEnd = 0;
  /** Whether the held bytes are decoded. */
  #decoded = true;
  /** Whether the held bytes lie in memory of their own. */
  #owned = true;
  #sink: BodySink | undefined;
  #wanted = false;
  /** Whether a piece is being delivered. */
  #delivering = false;
  #paused = false;
  /** Whether `end` or `fail` of the sink was called, or nobody wants the body. */
  #over = true;
  /** Whether the connection ended behind what is held, and with which failure. */
  #atEnd = false;
  #failure: TransportFailure | undefined;

  /** @param onBroken Called when the body cannot be decoded, or the connection broke within it. */
  constructor(socket: Socket, deadlines: Deadlines, onBroken: (failure: unknown) => void) {
    this.#socket = socket;
    this.#deadlines = deadlines;
    this.#onBroken = onBroken;
  }

  /** Prepares for the body of a response. `input` has the bytes behind its head, valid until {@linkcode settle}. */
  begin(head: ResponseHead, request: AskedRequest, input: ResponseInput): void {
    const declared = head.chunked ? CHUNKED : head.contentLength;
    const kind = responseBodyKind(declared, head.status, request.method);
    this.forbidden = kind === "none" && (declared > 0 || head.chunked);
    const keepTrailers = kind === "chunked" && request.acceptsTrailers;
    this.#decoder.begin(kind, declared, keepTrailers ? WITH_TRAILERS : LENIENT);
    this.#persistent = kind !== "close" && head.status !== 101 && persistent(head.minorVersion, head.connection);
    this.#hold(input.bytes, input.start, input.end);
    this.#decoded = this.#owned = input.start === input.end;
    this.#sink = undefined;
    this.#failure = undefined;
    this.#wanted = this.#over = this.#atEnd = false;
  }

  /** Whether the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#decoder.kind === "close";
  }

  /** Whether the connection can be used again: the body was taken up to its end, and nothing followed it. */
  get reusable(): boolean {
    return this.#decoder.done && this.#persistent && this.#heldStart === this.#heldEnd;
  }

  /** The undecoded bytes that arrived with the head. */
  get early(): Uint8Array<ArrayBuffer> {
    return this.#held.slice(this.#heldStart, this.#heldEnd);
  }

  /**
   * The whole body, if it has arrived: null when there is none, undefined when more must be read. It is lent: valid until
   * the call that delivered the head returns.
   *
   * @throws {TransportFailure} `malformed`.
   */
  whole(): Uint8Array<ArrayBuffer> | null | undefined {
    const decoder = this.#decoder;
    if (decoder.kind === "none") return null;
    this.#decodeHeld();
    if (!decoder.done || decoder.trailers !== undefined && decoder.trailers.length > 0) return undefined;
    const bytes = lentParts.of(this.#held, this.#heldStart, this.#heldEnd);
    this.#hold(NOTHING, 0, 0);
    this.#over = true;
    return bytes;
  }

  /** The memory of the bytes that arrived with the head is about to be used again. */
  settle(): void {
    if (!this.#owned) {
      this.#owned = true;
      const own = this.#held.slice(this.#heldStart, this.#heldEnd);
      this.#hold(own, 0, own.length);
    }
    this.#pauseUnlessWanted();
  }

  /** Bytes arrived. */
  receive(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const decoder = this.#decoder;
    if (decoder.done) {
      this.#persistent = false;
      return;
    }
    this.#deadlines.endRead();
    let payloadEnd: number;
    try {
      payloadEnd = this.#decode(bytes, start, end);
    } catch (error) {
      return this.#onBroken(error);
    }
    if (payloadEnd > start) {
      if (!this.#wanted) this.#addHeld(bytes, start, payloadEnd);
      else if (this.#deliver(bytes.subarray(start, payloadEnd), "lent")) return;
    } else if (decoder.done && this.#wanted) {
      return this.#end();
    }
    if (this.#over) return;
    if (this.#wanted) this.#deadlines.awaitRead();
    else this.#pauseUnlessWanted();
  }

  /** Begins to deliver to `sink`. */
  start(sink: BodySink): void {
    this.#sink = sink;
    // A program may never read the body.
    this.#deadlines.awaitClient();
    if (this.#failure !== undefined && this.#heldStart === this.#heldEnd) this.#fail(this.#failure);
  }

  /** Asks for the next piece. */
  pull(): void {
    if (this.#over) return;
    this.#deadlines.endClient();
    this.#wanted = true;
    if (this.#delivering) return;
    if (this.#heldStart < this.#heldEnd && this.#deliverHeld()) return;
    if (!this.#wanted || this.#over) return;
    if (this.#decoder.done) return this.#end();
    if (this.#atEnd) return this.#failure === undefined ? this.#end() : this.#fail(this.#failure);
    this.#deadlines.awaitRead();
    this.resume();
  }

  /** Nobody wants the rest. The connection must be closed. */
  cancel(): void {
    this.#over = true;
    this.#sink = undefined;
  }

  /** The connection ended. `failure` where that does not end the body. What is held is delivered first. */
  connectionEnded(failure: TransportFailure | undefined): void {
    if (this.#over || this.#decoder.done) return;
    this.#atEnd = true;
    this.#failure = failure;
    if (this.#heldStart < this.#heldEnd) return;
    if (failure !== undefined) this.#fail(failure);
    else if (this.#wanted && this.#sink !== undefined) this.#end();
  }

  /** The exchange is aborted: what is held is dropped. */
  abort(failure: TransportFailure): void {
    if (this.#over) return;
    this.#hold(NOTHING, 0, 0);
    this.#failure = failure;
    this.#fail(failure);
  }

  /** Drops the body of an exchange that has ended, and reads on. */
  finish(): void {
    this.#decoder.begin("none", 0);
    this.#persistent = false;
    this.#sink = undefined;
    this.#over = true;
    this.#hold(NOTHING, 0, 0);
    this.#owned = true;
    this.resume();
  }

  /** Makes the socket read again. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #hold(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#held = bytes;
    this.#heldStart = start;
    this.#heldEnd = end;
  }

  #decodeHeld(): void {
    if (this.#decoded) return;
    this.#decoded = true;
    this.#heldEnd = this.#decode(this.#held, this.#heldStart, this.#heldEnd);
  }

  #decode(bytes: Uint8Array, start: number, end: number): number {
    const decoder = this.#decoder;
    try {
      const payloadEnd = decoder.take(bytes, start, end);
      // More bytes than the framing allows: the connection is not used again.
      if (decoder.consumed < end) this.#persistent = false;
      return payloadEnd;
    } catch (error) {
      throw error instanceof MalformedMessage ? malformedResponse(error.message) : error;
    }
  }

  // Only where the socket delivers bytes that were not wanted.
  #addHeld(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    try {
      this.#decodeHeld();
    } catch (error) {
      return this.#onBroken(error);
    }
    const before = this.#heldEnd - this.#heldStart;
    const joined = new Uint8Array(before + end - start);
    joined.set(this.#held.subarray(this.#heldStart, this.#heldEnd));
    joined.set(bytes.subarray(start, end), before);
    this.#hold(joined, 0, joined.length);
  }

  /** Delivers the held bytes, if any are left of them once they are decoded. Returns whether the body is over. */
  #deliverHeld(): boolean {
    try {
      this.#decodeHeld();
    } catch (error) {
      this.#onBroken(error);
      return true;
    }
    const piece = this.#held.subarray(this.#heldStart, this.#heldEnd);
    this.#hold(NOTHING, 0, 0);
    // Within the call that delivered the head, it lies in the socket's memory.
    return piece.length > 0 && this.#deliver(piece, this.#owned ? "given" : "lent");
  }

  /** Delivers a piece. Returns whether the body is over; the connection may serve another exchange then. */
  #deliver(piece: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    const sink = this.#sink as BodySink;
    const { done, trailers } = this.#decoder;
    this.#wanted = false;
    if (done) this.#over = true;
    // Before the piece is delivered: the sink may pull within the call.
    else this.#deadlines.awaitClient();
    this.#delivering = true;
    sink.piece(piece, ownership);
    this.#delivering = false;
    if (done && this.#sink === sink) sink.end(trailers);
    return this.#over || done;
  }

  #end(): void {
    this.#over = true;
    const { trailers } = this.#decoder;
    this.#sink?.end(trailers);
  }

  #fail(failure: TransportFailure): void {
    if (this.#sink === undefined) return;
    this.#over = true;
    this.#sink.fail(failure);
  }

  #pauseUnlessWanted(): void {
    if (this.#wanted || this.#paused || this.#over || this.#decoder.done) return;
    this.#paused = true;
    this.#socket.pause();
  }
}

const NOTHING = new Uint8Array(0);
/** Views of bodies that arrive with their heads. */
const lentParts = new PartViews();
/** Bare line feeds are accepted, as by nginx, HAProxy and Caddy. */
const LENIENT = { bareLineFeeds: true };
const WITH_TRAILERS = { bareLineFeeds: true, keepTrailers: true };
