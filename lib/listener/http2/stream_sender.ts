/**
 * Sends the body of a response of HTTP/2 that is a source of pieces, as fast as the windows and the socket allow.
 *
 * @module
 */

import { type BodySink, type BodySource, type Ownership, release } from "../../http/body.ts";
import { sentTrailers } from "../../http/trailers.ts";
import { ErrorCode } from "../../http2/error_code.ts";
import type { Http2Stream } from "../../http2/stream.ts";

/** Sends one body. Owned by its request. */
export class StreamSender implements BodySink {
  readonly #stream: Http2Stream;
  /** Bytes that are left of a length that was announced; -1 where none was. */
  #leftBytes: number;
  readonly #takesTrailers: boolean;
  #source: BodySource | undefined;
  /** Whether a piece was pulled and has not arrived. */
  #pulled = false;
  #pulling = false;
  #room = true;

  /** @param length The length of the body that was announced, or -1. */
  constructor(stream: Http2Stream, length: number, takesTrailers: boolean) {
    this.#stream = stream;
    this.#leftBytes = length;
    this.#takesTrailers = takesTrailers;
  }

  /** Begins to send. */
  send(source: BodySource): void {
    this.#source = source;
    source.start(this);
    if (this.#source === source) this.#pull();
  }

  /** The client is gone, or takes nothing: cancels the source. */
  abandon(reason: string): void {
    const source = this.#source;
    this.#source = undefined;
    source?.cancel(reason);
  }

  /** There is room for another piece. */
  drained(): void {
    this.#room = true;
    if (this.#source !== undefined && !this.#pulled) this.#pull();
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#pulled = false;
    if (this.#source === undefined) return release(bytes, ownership);
    if (this.#leftBytes >= 0 && (this.#leftBytes -= bytes.length) < 0) {
      release(bytes, ownership);
      this.abandon("The body is longer than its Content-Length");
      return this.#stream.reset(ErrorCode.INTERNAL_ERROR);
    }
    this.#room = this.#stream.write(bytes, ownership);
    if (this.#room) this.#pull();
  }

  end(trailers?: readonly string[]): void {
    if (this.#source === undefined) return;
    this.#source = undefined;
    if (this.#leftBytes > 0) return this.#stream.reset(ErrorCode.INTERNAL_ERROR);
    this.#stream.end(trailers === undefined || !this.#takesTrailers ? undefined : sentTrailers(trailers));
  }

  fail(): void {
    if (this.#source === undefined) return;
    this.#source = undefined;
    // A reset tells the client that the body is not complete.
    this.#stream.reset(ErrorCode.INTERNAL_ERROR);
  }

  // The source may deliver within the pull, and the sink pull again within the piece: a loop, not a recursion.
  #pull(): void {
    if (this.#pulling) return;
    this.#pulling = true;
    do {
      this.#pulled = true;
      this.#source?.pull();
    } while (!this.#pulled && this.#room && this.#source !== undefined);
    this.#pulling = false;
  }
}
