/**
 * One stream of a connection (RFC 9113, section 5): what its owner does with it, and its state.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import type { FieldBlock } from "./field_block.ts";
import type { HpackEncoder } from "./hpack_encoder.ts";
import type { ReceiveWindow } from "./receive_window.ts";

/**
 * Why a stream ended before its time.
 *
 * - `peer`: the peer sent RST_STREAM.
 * - `malformed`: the peer broke the protocol on it. RST_STREAM was sent.
 * - `unprocessed`: the peer's GOAWAY says that it did not act on it.
 * - `connection`: its connection failed or was closed.
 */
export type ResetCause = "peer" | "malformed" | "unprocessed" | "connection";

/** Notified of the events of one stream. After {@linkcode reset} and {@linkcode Http2Stream.reset} none follows. */
export interface StreamHandler {
  /**
   * Fields arrived: the head of a response, interim or not, or trailers. Those of a request that has opened the stream
   * are given to `ConnectionHost.accept`.
   *
   * @param block Valid until this returns.
   * @param ended Whether the peer sends nothing more.
   */
  headers(block: FieldBlock, ended: boolean): void;
  /**
   * Data arrived: `bytes[start … end)`, lent, perhaps empty. {@linkcode Http2Stream.consumed} is to be called for its
   * bytes once their memory is free.
   *
   * @param ended Whether the peer sends nothing more.
   */
  data(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void;
  /** There is room again. Called after a {@linkcode Http2Stream.write} that returned false. */
  drained(): void;
  /** The stream ended before its time. `code` is that of the frame, where there is one. */
  reset(code: number, cause: ResetCause, message: string): void;
}

/** The connection of a stream. */
export interface StreamHost {
  beginHeaders(stream: Http2Stream): HpackEncoder | undefined;
  sendHeaders(stream: Http2Stream, endStream: boolean): void;
  write(stream: Http2Stream, bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last: boolean): boolean;
  end(stream: Http2Stream, trailers: readonly string[] | undefined): void;
  consumed(stream: Http2Stream, bytes: number): void;
  resetStream(stream: Http2Stream, code: number): void;
}

/** A stream. Owned by its connection until it is closed. */
export class Http2Stream {
  readonly id: number;
  /** Replaceable at any time. */
  handler: StreamHandler;
  /** Bytes of data that the peer has announced; -1 where it has not. Other lengths are malformed. */
  expectedBytes = -1;
  /** Code of the RST_STREAM that follows the end of this side, unless the peer has ended too and it is 0; -1: none follows. */
  codeAtEnd = -1;
  /** Bytes of data that have arrived. */
  receivedBytes = 0;
  /** Bytes of data that were sent. */
  sentBytes = 0;
  /** Whether the head of the final response has arrived, where the peer is the server. */
  answered = false;
  /** Whether this side sends nothing more. */
  localEnded = false;
  /** Whether the peer sends nothing more. */
  remoteEnded = false;
  /** Whether it is closed, in whatever way. */
  closed = false;

  // What follows is for its connection alone.

  /** Bytes that may be sent; negative after the peer has made its windows smaller. */
  sendWindow: number;
  readonly receiveWindow: ReceiveWindow;
  /** Bytes that arrived and were not {@linkcode consumed}. */
  unconsumedBytes = 0;
  /** Bytes that wait to be sent, oldest first; `queue[0]` from `queueStart` on. */
  queue: Uint8Array<ArrayBuffer>[] | undefined;
  queueStart = 0;
  queuedBytes = 0;
  /** Whether the end follows what is queued. */
  endQueued = false;
  trailers: readonly string[] | undefined;
  /** Whether {@linkcode StreamHandler.drained} is to be called. */
  wantsRoom = false;
  /** Whether it waits for its turn to send, and in front of which. */
  ready = false;
  next: Http2Stream | undefined;
  readonly #host: StreamHost;

  constructor(id: number, handler: StreamHandler, host: StreamHost, sendWindow: number, receiveWindow: ReceiveWindow) {
    this.id = id;
    this.handler = handler;
    this.#host = host;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  /** Whether something waits to be sent, or for room. */
  get sending(): boolean {
    return this.queuedBytes > 0 || this.wantsRoom;
  }

  /**
   * Begins fields: the caller adds them to the encoder, and sends them with {@linkcode sendHeaders} at once.
   *
   * @returns undefined if nothing can be sent any more.
   */
  beginHeaders(): HpackEncoder | undefined {
    return this.#host.beginHeaders(this);
  }

  /** Sends the fields that were added to the encoder. */
  sendHeaders(endStream: boolean): void {
    this.#host.sendHeaders(this, endStream);
  }

  /**
   * Sends data. What the windows do not allow is queued without a limit.
   *
   * @param last Whether the end follows, without trailers.
   * @returns Whether more may be written. After false, {@linkcode StreamHandler.drained} tells when.
   */
  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last = false): boolean {
    return this.#host.write(this, bytes, ownership, last);
  }

  /** Sends nothing more behind what was written, but for trailer fields. */
  end(trailers?: readonly string[]): void {
    this.#host.end(this, trailers);
  }

  /** The memory of so many bytes that arrived is free: the peer may send as many again. */
  consumed(bytes: number): void {
    this.#host.consumed(this, bytes);
  }

  /** Ends it at once, in both directions. What is queued is lost. */
  reset(code: number): void {
    this.#host.resetStream(this, code);
  }
}
