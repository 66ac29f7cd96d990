/**
 * One connection of HTTP/2 (RFC 9113), of either role: bytes in, bytes out, without a socket. It keeps to the rules of
 * frames, streams and windows; what requests and responses mean is for its owner.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import { ErrorCode, errorName, Http2Error } from "./error_code.ts";
import { type ConnectionHost, HTTP2_DEFAULTS, type Http2Options } from "./connection_options.ts";
import { type BlockKind, FieldBlock } from "./field_block.ts";
import { FloodBudget } from "./flood_budget.ts";
import { FIRST_WINDOW_BYTES, MAX_WINDOW_BYTES, PREFACE } from "./frame.ts";
import { FrameInput } from "./frame_input.ts";
import type { FrameOwner } from "./frame_owner.ts";
import { type ByteSink, FrameWriter } from "./frame_writer.ts";
import { HpackEncoder } from "./hpack_encoder.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { SendScheduler } from "./send_scheduler.ts";
import {
  ENABLE_CONNECT_PROTOCOL,
  ENABLE_PUSH,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  PeerSettings,
} from "./settings.ts";
import { Http2Stream, type ResetCause, type StreamHandler } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";

/** A connection. */
export class Http2Connection implements FrameOwner {
  /** What the peer has set. */
  readonly settings = new PeerSettings();
  readonly budget: FloodBudget;
  readonly streams = new StreamTable();
  readonly block = new FieldBlock();
  readonly server: boolean;
  readonly options: Required<Http2Options>;
  readonly host: ConnectionHost;
  readonly writer: FrameWriter;
  readonly scheduler: SendScheduler;
  /** Whether it has failed or was closed. */
  closed = false;
  /** Whether {@linkcode shutdown} was called. */
  draining = false;
  /** Whether the peer has sent GOAWAY. */
  peerLeaving = false;
  /** Last stream that the peer has opened. */
  lastPeerStream = 0;
  /** Streams of the peer above it are not acted on. */
  lastAccepted = MAX_WINDOW_BYTES;
  /** The window for all that is received. */
  readonly receiveWindow: ReceiveWindow;
  /** Bytes that arrived on all streams and were not used. */
  unconsumedBytes = 0;
  /** Last stream that this side has opened, where it is the client. */
  lastOwnStream = -1;
  readonly #encoder = new HpackEncoder();
  readonly #input: FrameInput;
  #busy = false;
  #scheduled = false;
  readonly #flushLater = () => {
    this.#scheduled = false;
    this.flush();
  };

  /** Writes the first bytes of this side; {@linkcode flush} sends them. */
  constructor(host: ConnectionHost, sink: ByteSink, options: Http2Options) {
    this.host = host;
    this.options = { ...HTTP2_DEFAULTS, ...options };
    this.server = options.role === "server";
    this.budget = new FloodBudget(options.clock);
    this.writer = new FrameWriter(sink);
    this.scheduler = new SendScheduler(this, this.writer, this.budget);
    this.receiveWindow = new ReceiveWindow(FIRST_WINDOW_BYTES, this.options.maxWindow);
    this.#input = new FrameInput(this);
    this.#begin(this.options);
  }

  /** Number of open streams. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Whether a frame without data, or a header block, of the peer has begun and is not complete. */
  get receiving(): boolean {
    return this.#input.begun;
  }

  /** Number of frames that have arrived, header blocks counted once. */
  get receivedFrames(): number {
    return this.#input.frames;
  }

  /** Whether the peer has accepted this side's first settings. */
  get settingsAcknowledged(): boolean {
    return this.#input.acknowledged;
  }

  /** Whether data waits for the window of the whole connection, or for the socket. */
  get stalled(): boolean {
    return this.scheduler.waiting;
  }

  /** Takes bytes of the peer. */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (this.closed) return;
    this.#busy = true;
    try {
      this.#input.read(bytes, start, end);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.fail(error);
    } finally {
      this.#busy = false;
    }
    this.flush();
  }

  /** The socket has accepted everything. */
  drained(): void {
    this.flush();
  }

  /** Sends what was written, and what windows and socket allow of what is queued. */
  flush(): void {
    if (this.#busy || this.closed) return;
    this.#busy = true;
    try {
      this.scheduler.pump();
      while (this.writer.pending) {
        this.writer.flush();
        this.scheduler.pump();
      }
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Opens a stream of a client. Its request's head is to be sent before another stream is opened.
   *
   * @returns undefined if no more can be opened on this connection.
   */
  open(handler: StreamHandler): Http2Stream | undefined {
    const id = this.lastOwnStream + 2;
    if (this.closed || this.draining || this.peerLeaving || id > MAX_WINDOW_BYTES) return undefined;
    this.lastOwnStream = id;
    return this.addStream(id, handler);
  }

  /** Measures the peer: `ConnectionHost.pong` is called when it replies. */
  ping(): void {
    this.#sendPing(OWN_PING);
  }

  /** Begins an orderly end (RFC 9113, section 6.8): the peer is told to open no more streams; open ones go on. */
  shutdown(): void {
    if (this.closed || this.draining) return;
    this.draining = true;
    this.writer.goAway(this.server ? MAX_WINDOW_BYTES : 0, ErrorCode.NO_ERROR);
    if (this.server) this.#sendPing(SHUTDOWN_PING);
    this.wake();
  }

  /** Whether the peer knows that the connection ends, so that no further stream is accepted. */
  get shutdownFinished(): boolean {
    return this.lastAccepted !== MAX_WINDOW_BYTES;
  }

  /** Ends the time in which streams that were under way to a server that shuts down are accepted. */
  finishShutdown(): void {
    if (this.closed || !this.server || !this.draining || this.lastAccepted !== MAX_WINDOW_BYTES) return;
    this.lastAccepted = this.lastPeerStream;
    this.writer.goAway(this.lastAccepted, ErrorCode.NO_ERROR);
    this.wake();
    this.host.shutdownFinished?.();
  }

  /** Tells the peer that the connection ends, and ends all streams. */
  fail(error: Http2Error): void {
    if (this.closed) return;
    this.writer.goAway(Math.min(this.lastAccepted, this.lastPeerStream), error.code, error.message);
    this.writer.flush();
    this.#end(error.code, `The connection failed: ${error.message}`);
    this.host.failed(error);
  }

  /** The connection is gone: ends all streams. */
  lost(message: string): void {
    if (this.closed) return;
    this.writer.drop();
    this.#end(ErrorCode.NO_ERROR, message);
  }

  #end(code: number, message: string): void {
    this.closed = true;
    for (const stream of this.streams.values()) this.abort(stream, code, "connection", message);
  }

  // What streams call.

  beginHeaders(stream: Http2Stream): HpackEncoder | undefined {
    if (stream.closed || stream.localEnded) return undefined;
    this.#encoder.begin();
    return this.#encoder;
  }

  sendHeaders(stream: Http2Stream, endStream: boolean): void {
    this.writer.headers(stream.id, this.#encoder.bytes, this.#encoder.length, endStream);
    this.wake();
    if (endStream) this.#endLocal(stream);
  }

  write(stream: Http2Stream, bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last: boolean): boolean {
    if (stream.closed || stream.localEnded || stream.endQueued) return false;
    this.wake();
    return this.scheduler.write(stream, bytes, ownership, last);
  }

  end(stream: Http2Stream, trailers: readonly string[] | undefined): void {
    if (stream.closed || stream.localEnded || stream.endQueued) return;
    stream.trailers = trailers;
    this.wake();
    this.scheduler.end(stream);
  }

  dataSent(stream: Http2Stream, ended: boolean): void {
    const { trailers } = stream;
    if (!ended && trailers !== undefined) {
      const encoder = this.#encoder;
      encoder.begin();
      for (let i = 0; i < trailers.length; i += 2) encoder.field(trailers[i].toLowerCase(), trailers[i + 1]);
      return this.sendHeaders(stream, true);
    }
    if (!ended && !this.writer.endLastData(stream.id)) this.writer.data(stream.id, NOTHING, 0, 0, true);
    this.#endLocal(stream);
  }

  consumed(stream: Http2Stream, bytes: number): void {
    if (stream.closed || this.closed || bytes === 0) return;
    stream.unconsumedBytes -= bytes;
    if (!stream.remoteEnded) {
      const increase = stream.receiveWindow.use(bytes, stream.unconsumedBytes);
      if (increase > 0) {
        this.writer.windowUpdate(stream.id, increase);
        this.wake();
      }
    }
    this.release(bytes);
  }

  resetStream(stream: Http2Stream, code: number): void {
    if (stream.closed || this.closed) return;
    this.writer.resetStream(stream.id, code);
    this.wake();
    this.closeStream(stream, true);
  }

  // What the input calls.

  addStream(id: number, handler: StreamHandler): Http2Stream {
    const { streamWindow, maxStreamWindow } = this.options;
    const window = new ReceiveWindow(streamWindow, Math.max(streamWindow, maxStreamWindow));
    const stream = new Http2Stream(id, handler, this, this.settings.initialWindowSize, window);
    this.streams.add(stream);
    return stream;
  }

  /** Counts bytes of the connection's window as free again. */
  release(bytes: number): void {
    this.unconsumedBytes -= bytes;
    const increase = this.receiveWindow.use(bytes, this.unconsumedBytes);
    if (increase === 0) return;
    this.writer.windowUpdate(0, increase);
    this.wake();
  }

  /** The peer sends nothing more on `stream`. */
  endRemote(stream: Http2Stream): void {
    stream.remoteEnded = true;
    if (!stream.localEnded) return;
    this.budget.refill("reset");
    this.closeStream(stream, false);
  }

  /** Ends a stream on which the peer broke the protocol (RFC 9113, section 5.4.2). */
  streamError(stream: Http2Stream, code: number, message: string): void {
    this.writer.resetStream(stream.id, code);
    this.abort(stream, code, "malformed", message);
    // A peer that provokes resets is treated as one that sends them.
    if (this.server) this.budget.use("reset");
  }

  /** Ends a stream before its time, and tells its handler. */
  abort(stream: Http2Stream, code: number, cause: ResetCause, message: string): void {
    if (stream.closed) return;
    this.closeStream(stream, cause === "malformed");
    stream.handler.reset(code, cause, message === "" ? errorName(code) : message);
  }

  closeStream(stream: Http2Stream, reset: boolean): void {
    stream.closed = true;
    stream.queue = undefined;
    stream.queuedBytes = 0;
    this.streams.delete(stream, reset);
    const { unconsumedBytes } = stream;
    stream.unconsumedBytes = 0;
    if (unconsumedBytes > 0 && !this.closed) this.release(unconsumedBytes);
    this.host.streamClosed(stream);
  }

  /** The peer replied to a ping. */
  ponged(payload: number): void {
    if (payload === SHUTDOWN_PING[0]) this.finishShutdown();
    else if (payload === OWN_PING[0]) this.host.pong();
  }

  /** The peer's first or later settings were applied. */
  settingsApplied(windowBefore: number): void {
    const { initialWindowSize, headerTableSize } = this.settings;
    this.#encoder.setMaxTableBytes(Math.min(headerTableSize, MAX_TABLE_BYTES));
    const change = initialWindowSize - windowBefore;
    if (change !== 0) {
      for (const stream of this.streams.values()) {
        stream.sendWindow += change;
        if (stream.sendWindow > MAX_WINDOW_BYTES) {
          throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE makes a window too large");
        }
        this.scheduler.windowOpened(stream);
      }
    }
    this.host.settingsChanged();
  }

  isIdle(streamId: number): boolean {
    const ofPeer = (streamId % 2 === 1) === this.server;
    return streamId > (ofPeer ? this.lastPeerStream : this.lastOwnStream);
  }

  /** What a header block on `stream` is. */
  blockKind(stream: Http2Stream | undefined): BlockKind {
    if (this.server) return stream === undefined ? "request" : "trailers";
    return stream === undefined || !stream.answered ? "response" : "trailers";
  }

  /** Something was written: it is sent at the end of the turn. */
  wake(): void {
    if (this.#busy || this.#scheduled || this.closed) return;
    this.#scheduled = true;
    queueMicrotask(this.#flushLater);
  }

  #endLocal(stream: Http2Stream): void {
    stream.localEnded = true;
    const { codeAtEnd } = stream;
    // A client that cancels some of many requests is in the normal course of things.
    if (codeAtEnd <= 0) this.budget.refill("reset");
    if (codeAtEnd > 0 || (codeAtEnd === 0 && !stream.remoteEnded)) this.resetStream(stream, codeAtEnd);
    else if (stream.remoteEnded) this.closeStream(stream, false);
  }

  #sendPing(payload: Uint8Array): void {
    if (this.closed) return;
    this.writer.ping(payload, 0, false);
    this.wake();
  }

  #begin({ streamWindow, fieldLimits, maxStreams, window }: Required<Http2Options>): void {
    const { writer } = this;
    if (!this.server) writer.raw(PREFACE);
    const own = [[INITIAL_WINDOW_SIZE, streamWindow], [MAX_HEADER_LIST_SIZE, fieldLimits.maxBytes]] as const;
    writer.settings(
      this.server
        ? [[MAX_CONCURRENT_STREAMS, maxStreams], ...own, [ENABLE_CONNECT_PROTOCOL, 1]]
        : [[ENABLE_PUSH, 0], ...own],
    );
    const increase = this.receiveWindow.enlarge(window);
    if (increase > 0) writer.windowUpdate(0, increase);
  }
}

/** Larger tables compress little better, and each connection would hold one. */
const MAX_TABLE_BYTES = 4096;
const SHUTDOWN_PING = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
const OWN_PING = new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0]);
const NOTHING = new Uint8Array(0);
