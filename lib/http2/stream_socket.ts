/**
 * A stream of HTTP/2 as a socket: the bytes of a tunnel are its data (RFC 8441, section 5).
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import { ErrorCode } from "./error_code.ts";
import type { Http2Stream, StreamHandler } from "./stream.ts";
import type { Socket, SocketHandler } from "../sockets/socket.ts";
import { HeldPieces } from "./held_pieces.ts";

/** The socket of one stream. It holds what arrives while nobody reads, and the window of the stream stays as it is. */
export class StreamSocket implements Socket {
  handler: SocketHandler = NOBODY;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Handles the events of the stream. */
  readonly input: StreamHandler = {
    headers: () => {
      this.#stream.reset(ErrorCode.PROTOCOL_ERROR);
      this.#fail(new Error("Fields arrived within a tunnel"));
    },
    data: (bytes, start, end, ended) => this.#received(bytes, start, end, ended),
    drained: () => {
      if (!this.#closed) this.#guarded(() => this.handler.drained());
    },
    reset: (_code, _cause, message) => this.#fail(new Error(message)),
  };
  readonly #stream: Http2Stream;
  #paused = true;
  /** What waits to be received. */
  readonly #held = new HeldPieces();
  #ended = false;
  #endReported = false;
  #closed = false;
  #scheduled = false;

  constructor(stream: Http2Stream, { remoteAddress, remotePort }: Socket) {
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Begins to be a socket: gives what has arrived, and reports the rest from now on. */
  take(): Uint8Array<ArrayBuffer> {
    const early = this.takeHeld();
    this.resume();
    return early;
  }

  /** Gives what has arrived; what arrives from now on is held until it is resumed. */
  takeHeld(): Uint8Array<ArrayBuffer> {
    const early = this.#held.takeAll();
    this.#stream.consumed(early.length);
    return early;
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    if (this.#closed || this.#stream.closed) return false;
    if (bytes.length === 0) return this.queuedBytes === 0;
    this.#stream.write(bytes, ownership);
    return this.queuedBytes === 0;
  }

  // What is written within a turn goes out together anyway.
  cork(): void {}

  uncork(): boolean {
    return this.queuedBytes === 0;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#held.bytes === 0 && !this.#ended) return;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliverHeld();
    });
  }

  end(): void {
    if (!this.#closed) this.#stream.end();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held.takeAll();
    const stream = this.#stream;
    if (stream.queuedBytes > 0) return stream.reset(ErrorCode.CANCEL);
    stream.codeAtEnd = ErrorCode.NO_ERROR;
    stream.end();
    // Its own side had ended before.
    if (!stream.closed) stream.reset(ErrorCode.NO_ERROR);
  }

  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held.takeAll();
    this.#stream.reset(ErrorCode.CANCEL);
  }

  #received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void {
    if (this.#closed) return;
    this.#ended ||= ended;
    if (this.#paused || this.#held.bytes > 0) {
      return this.#held.add(bytes, start, end);
    }
    if (end > start) {
      this.#deliver(bytes, start, end);
      this.#stream.consumed(end - start);
    }
    this.#reportEnd();
  }

  #deliverHeld(): void {
    while (!this.#paused && !this.#closed) {
      const piece = this.#held.shift();
      if (piece === undefined) return this.#reportEnd();
      this.#deliver(piece, 0, piece.length);
      this.#stream.consumed(piece.length);
    }
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#guarded(() => this.handler.received(bytes, start, end));
  }

  #reportEnd(): void {
    if (!this.#ended || this.#endReported || this.#paused || this.#closed) return;
    this.#endReported = true;
    this.#guarded(() => this.handler.ended());
  }

  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#stream.reset(ErrorCode.INTERNAL_ERROR);
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held.takeAll();
    this.handler.failed(error);
  }
}

const NOBODY: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };
