/**
 * The body of a request of HTTP/2: pieces are passed on as they arrive, lent, while they are asked for. Otherwise they
 * are held, and the window of the stream is not opened again, so that the client stops.
 *
 * @module
 */

import type { BodySink, BodySource } from "../../http/body.ts";
import type { Http2Stream } from "../../http2/stream.ts";
import { HeldPieces } from "../../http2/held_pieces.ts";

/** The request of a body. */
export interface BodyHost {
  /** More of the body is asked for: the client may send it. */
  bodyWanted(): void;
  /** Bytes of the body arrived. */
  bodyArrived(bytes: number): void;
}

/** A body that is being received. Owned by its request. */
export class StreamBody implements BodySource {
  readonly #stream: Http2Stream;
  readonly #host: BodyHost;
  #sink: BodySink | undefined;
  #wanted = false;
  /** Whether its end has arrived. */
  #complete = false;
  #trailers: readonly string[] | undefined;
  /** Whether no further call of the sink is made. */
  #over = false;
  #broken = false;
  #reason: unknown;
  /** Pieces that arrived before they were asked for, oldest first. */
  #held: HeldPieces | undefined;

  constructor(stream: Http2Stream, host: BodyHost) {
    this.#stream = stream;
    this.#host = host;
  }

  /** Takes data, and the end where it has come. */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void {
    const count = end - start;
    this.#complete ||= ended;
    this.#host.bodyArrived(count);
    // Nobody wants it: the client may fill its window, and is told to stop when the response is sent.
    if (this.#over) return;
    if (!this.#wanted) {
      if (count > 0) (this.#held ??= new HeldPieces()).add(bytes, start, end);
      return;
    }
    if (count > 0) {
      this.#deliver(bytes.subarray(start, end), "lent");
      this.#stream.consumed(count);
    } else if (ended) this.#end();
  }

  /** Takes the trailer fields, and with them the end. */
  receivedTrailers(lines: readonly string[]): void {
    this.#trailers = lines;
    this.received(NOTHING, 0, 0, true);
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#broken) sink.fail(this.#reason);
  }

  pull(): void {
    if (this.#over) return;
    this.#wanted = true;
    const held = this.#held?.shift();
    if (held !== undefined) {
      const count = held.length;
      if (this.#held?.bytes === 0) this.#held = undefined;
      this.#deliver(held, "given");
      return this.#stream.consumed(count);
    }
    if (this.#complete) this.#end();
    else this.#host.bodyWanted();
  }

  cancel(): void {
    this.#over = true;
    this.#wanted = false;
    this.#held = undefined;
  }

  /** Breaks it off. */
  fail(reason: unknown): void {
    if (this.#broken || this.#complete) return;
    this.#broken = true;
    this.#reason = reason;
    if (this.#over) return;
    this.#over = true;
    this.#held = undefined;
    this.#sink?.fail(reason);
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>, ownership: "lent" | "given"): void {
    this.#wanted = false;
    // Nothing follows this piece: whoever pulls within it finds the body over.
    const last = this.#complete && this.#held === undefined;
    this.#over = last;
    this.#sink?.piece(bytes, ownership);
    if (last) this.#sink?.end(this.#trailers);
  }

  #end(): void {
    this.#over = true;
    this.#sink?.end(this.#trailers);
  }
}

const NOTHING = new Uint8Array(0);
