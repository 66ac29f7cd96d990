/**
 * The body of a response that arrives on a stream of HTTP/2. What arrives while nobody asks for it is held, at most as much as
 * the stream's window allows; the upstream may send more as pieces are taken.
 *
 * @module
 */

import type { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource, Ownership } from "../../http/body.ts";
import type { Http2Stream } from "../../http2/stream.ts";
import type { Deadlines } from "../connection/deadlines.ts";

/** The body of one response. Owned by its stream. */
export class StreamBody implements BodySource {
  /** Whether all of it has arrived. */
  complete = false;
  readonly #stream: Http2Stream;
  readonly #deadlines: Deadlines;
  /** Bytes that arrived and were not asked for: `#held[0 … #heldBytes)`. */
  #held: Uint8Array<ArrayBuffer> = NOTHING;
  #heldBytes = 0;
  #trailers: readonly string[] | undefined;
  #sink: BodySink | undefined;
  #wanted = false;
  /** Whether a piece is being delivered. */
  #delivering = false;
  /** Whether `end` or `fail` of the sink was called, or nobody wants the body. */
  #over = false;
  #failure: TransportFailure | undefined;

  constructor(stream: Http2Stream, deadlines: Deadlines) {
    this.#stream = stream;
    this.#deadlines = deadlines;
  }

  /** The whole body, if it has arrived and no trailer fields follow it; else undefined. */
  whole(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.complete || this.#trailers !== undefined) return undefined;
    this.#over = true;
    return this.#takeHeld();
  }

  /** Bytes arrived. `ended`: they are the last. */
  receive(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void {
    this.complete = ended;
    this.#deadlines.endRead();
    if (this.#over) return this.#stream.consumed(end - start);
    if (end > start) {
      if (!this.#wanted || this.#delivering) return this.#hold(bytes, start, end);
      this.#deliver(bytes.subarray(start, end), "lent");
      this.#stream.consumed(end - start);
    } else if (ended && this.#wanted) {
      return this.#end();
    }
    if (this.#wanted && !this.#over) this.#deadlines.awaitRead();
  }

  /** The trailer section arrived. */
  endWith(trailers: readonly string[]): void {
    this.#trailers = trailers.length === 0 ? undefined : trailers;
    this.receive(NOTHING, 0, 0, true);
  }

  /** Begins to deliver to `sink`. */
  start(sink: BodySink): void {
    this.#sink = sink;
    // A program may never read the body.
    this.#deadlines.awaitClient();
    if (this.#failure !== undefined && this.#heldBytes === 0) this.#fail(this.#failure);
  }

  /** Asks for the next piece. */
  pull(): void {
    if (this.#over) return;
    this.#deadlines.endClient();
    this.#wanted = true;
    if (this.#delivering) return;
    if (this.#heldBytes > 0) {
      const held = this.#takeHeld();
      this.#deliver(held, "given");
      if (!this.#wanted || this.#over) return;
    }
    if (this.complete) return this.#end();
    if (this.#failure !== undefined) return this.#fail(this.#failure);
    this.#deadlines.awaitRead();
  }

  /** Nobody wants the rest. */
  cancel(): void {
    this.#over = true;
    this.#sink = undefined;
    this.#takeHeld();
  }

  /** No more of it will arrive. What is held is delivered first. */
  lost(failure: TransportFailure): void {
    if (this.#over || this.complete || this.#failure !== undefined) return;
    this.#failure = failure;
    this.#deadlines.endRead();
    if (this.#heldBytes === 0) this.#fail(failure);
  }

  /** The exchange is aborted: what is held is dropped. */
  abort(failure: TransportFailure): void {
    if (this.#over) return;
    this.#takeHeld();
    this.#failure = failure;
    this.#fail(failure);
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(
        this.#heldBytes === 0 && this.complete ? needed : Math.max(needed, 2 * this.#held.length),
      );
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
  }

  #takeHeld(): Uint8Array<ArrayBuffer> {
    const bytes = this.#held.subarray(0, this.#heldBytes);
    this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#stream.consumed(bytes.length);
    return bytes;
  }

  // Bytes may arrive within it: a window that is given back can be used at once.
  #deliver(piece: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    const sink = this.#sink as BodySink;
    const last = this.complete && this.#heldBytes === 0;
    this.#wanted = false;
    if (last) this.#over = true;
    // Before the piece is delivered: the sink may pull within the call.
    else this.#deadlines.awaitClient();
    this.#delivering = true;
    sink.piece(piece, ownership);
    this.#delivering = false;
    if (last && this.#sink === sink) sink.end(this.#trailers);
  }

  #end(): void {
    this.#over = true;
    this.#sink?.end(this.#trailers);
  }

  #fail(failure: TransportFailure): void {
    if (this.#sink === undefined) return;
    this.#over = true;
    this.#sink.fail(failure);
  }
}

const NOTHING = new Uint8Array(0);
