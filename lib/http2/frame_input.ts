/**
 * What arrives on a connection: each frame is checked against the rules for its type and its stream (RFC 9113, sections
 * 5.1 and 6), and passed on.
 *
 * @module
 */

import { ControlFrames } from "./control_frames.ts";
import { ErrorCode, flowError, Http2Error, protocolError, sizeError } from "./error_code.ts";
import {
  CONTINUATION,
  DATA,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  HEADERS,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  SETTINGS,
} from "./frame.ts";
import type { FrameOwner } from "./frame_owner.ts";
import { type FrameHandler, FrameReader } from "./frame_reader.ts";
import { HeaderAssembly } from "./header_assembly.ts";
import { HpackDecoder } from "./hpack_decoder.ts";
import { HpackError } from "./hpack_error.ts";
import type { Http2Stream, StreamHandler } from "./stream.ts";

/** Reads the frames of the peer. */
export class FrameInput implements FrameHandler {
  /** Number of frames that have arrived, header blocks counted once. */
  frames = 0;
  readonly #owner: FrameOwner;
  readonly #reader: FrameReader;
  readonly #assembly: HeaderAssembly;
  readonly #decoder = new HpackDecoder();
  /** Bytes of the preface that have arrived. */
  #prefaceBytes: number;
  readonly #control: ControlFrames;
  /** The stream of the DATA frame that is arriving; undefined where its data is dropped. */
  #stream: Http2Stream | undefined;
  /** Whether that frame ends its stream. */
  #ends = false;
  /** Bytes of that frame's payload that were not passed on: in the end, its padding. */
  #frameBytes = 0;

  constructor(owner: FrameOwner) {
    this.#owner = owner;
    this.#control = new ControlFrames(owner);
    this.#reader = new FrameReader(this);
    const { maxBytes } = owner.options.fieldLimits;
    this.#assembly = new HeaderAssembly(owner.budget, Math.max(MIN_BLOCK_BYTES, 2 * maxBytes));
    this.#prefaceBytes = owner.server ? 0 : PREFACE.length;
  }

  get closed(): boolean {
    return this.#owner.closed;
  }

  /** Whether the peer has acknowledged this side's first settings. */
  get acknowledged(): boolean {
    return this.#control.acknowledged;
  }

  /** Whether something has begun and is not complete. */
  get begun(): boolean {
    return this.#reader.begun || this.#assembly.streamId !== 0 || !this.#control.settled;
  }

  /**
   * Reads bytes.
   *
   * @throws {Http2Error} When the connection is to end.
   */
  read(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    let at = start;
    while (this.#prefaceBytes < PREFACE.length && at < end) {
      if (bytes[at++] !== PREFACE[this.#prefaceBytes++]) throw protocolError("The preface of HTTP/2 is malformed");
    }
    if (at < end) this.#reader.read(bytes, at, end);
  }

  frameBegins(type: number, flags: number, streamId: number, length: number): void {
    if (!this.#control.settled && (type !== SETTINGS || (flags & FLAG_ACK) !== 0)) {
      throw protocolError("The first frame is not SETTINGS");
    }
    const { streamId: assembled } = this.#assembly;
    if (assembled !== 0 ? type !== CONTINUATION || streamId !== assembled : type === CONTINUATION) {
      throw protocolError(assembled === 0 ? "CONTINUATION follows no HEADERS" : "A header block is interrupted");
    }
    if (type === DATA) {
      this.frames++;
      this.#dataBegins(flags, streamId, length);
    } else if (type > CONTINUATION || type === PRIORITY) this.#owner.budget.use("empty");
  }

  data(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, last: boolean): void {
    const owner = this.#owner;
    const count = end - start;
    this.#frameBytes -= count;
    const stream = this.#stream;
    if (stream === undefined || stream.closed) {
      owner.release(count + (last ? this.#frameBytes : 0));
      return;
    }
    const ended = last && this.#ends;
    stream.receivedBytes += count;
    const { expectedBytes: expected, receivedBytes: received } = stream;
    if (expected >= 0 && (received > expected || (ended && received < expected))) {
      owner.release(count + (last ? this.#frameBytes : 0));
      const message = `The body is not as long as its Content-Length: ${received} of ${expected} bytes`;
      return owner.streamError(stream, ErrorCode.PROTOCOL_ERROR, message);
    }
    stream.unconsumedBytes += count;
    if (last && this.#frameBytes > 0) {
      stream.unconsumedBytes += this.#frameBytes;
      stream.consumed(this.#frameBytes);
    }
    if (count === 0 && !ended) return;
    // Before the handler is told: it may respond at once.
    if (ended) stream.remoteEnded = true;
    stream.handler.data(bytes, start, end, ended);
    if (ended && !stream.closed) owner.endRemote(stream);
  }

  frame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array<ArrayBuffer>,
    start: number,
    end: number,
  ): void {
    this.#dispatch(type, flags, streamId, bytes, start, end);
    if (this.#assembly.streamId === 0) this.frames++;
  }

  #dispatch(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array<ArrayBuffer>,
    start: number,
    end: number,
  ): void {
    switch (type) {
      case HEADERS:
        return this.#headers(flags, streamId, bytes, start, end);
      case CONTINUATION:
        return this.#continuation(flags, bytes, start, end);
      case PUSH_PROMISE:
        throw protocolError("PUSH_PROMISE is not allowed");
      default:
        return this.#control.frame(type, flags, streamId, bytes, start, end);
    }
  }

  #dataBegins(flags: number, streamId: number, length: number): void {
    const owner = this.#owner;
    if (streamId === 0) throw protocolError("DATA on stream 0");
    if (length === 0 && (flags & FLAG_END_STREAM) === 0) owner.budget.use("empty");
    if (!owner.receiveWindow.receive(length)) throw flowError("The window of the connection is exceeded");
    owner.unconsumedBytes += length;
    this.#frameBytes = length;
    this.#ends = (flags & FLAG_END_STREAM) !== 0;
    this.#stream = undefined;
    const stream = owner.streams.get(streamId);
    if (stream === undefined) return this.#onClosed(streamId, "DATA");
    if (stream.remoteEnded) return owner.streamError(stream, ErrorCode.STREAM_CLOSED, "DATA after the end");
    if (!owner.server && !stream.answered) {
      return owner.streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA before the head of a response");
    }
    if (!stream.receiveWindow.receive(length)) {
      return owner.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "The window of the stream is exceeded");
    }
    this.#stream = stream;
  }

  /** A frame on a stream that is not open. */
  #onClosed(streamId: number, what: string): void {
    const { budget, streams, writer } = this.#owner;
    if (this.#owner.isIdle(streamId)) throw protocolError(`${what} on a stream that is not open yet`);
    budget.use("closed");
    // It was sent before the peer knew of the reset.
    if (!streams.wasReset(streamId)) writer.resetStream(streamId, ErrorCode.STREAM_CLOSED);
  }

  #headers(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw protocolError("HEADERS on stream 0");
    let at = start;
    let padding = 0;
    if ((flags & FLAG_PADDED) !== 0) {
      if (at === end) throw sizeError("HEADERS");
      padding = bytes[at++];
    }
    if ((flags & FLAG_PRIORITY) !== 0) at += 5;
    const blockEnd = end - padding;
    if (blockEnd < at) {
      if (at > end) throw sizeError("HEADERS");
      throw protocolError("The padding is longer than its frame");
    }
    const endStream = (flags & FLAG_END_STREAM) !== 0;
    if ((flags & FLAG_END_HEADERS) !== 0) return this.#block(streamId, endStream, bytes, at, blockEnd);
    this.#assembly.begin(streamId, endStream, bytes, at, blockEnd);
  }

  #continuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const assembly = this.#assembly;
    assembly.continue(bytes, start, end);
    if ((flags & FLAG_END_HEADERS) === 0) return;
    const { streamId, endStream, bytes: whole, length } = assembly;
    assembly.clear();
    this.#block(streamId, endStream, whole, 0, length);
  }

  /** A whole header block has arrived. */
  #block(streamId: number, endStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    const stream = owner.streams.get(streamId);
    const { block } = owner;
    block.begin(owner.blockKind(stream), owner.options.fieldLimits);
    // Whatever becomes of it, the table of HPACK depends on it.
    try {
      this.#decoder.decode(bytes, start, end, block);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw new Http2Error(ErrorCode.COMPRESSION_ERROR, `A header block is malformed: ${error.message}`);
    }
    block.end();
    if (stream === undefined) this.#opening(streamId, endStream);
    else this.#further(stream, endStream);
  }

  /** Fields on a stream that is not open. */
  #opening(streamId: number, endStream: boolean): void {
    const owner = this.#owner;
    const { streams, budget, writer } = owner;
    if (streams.wasReset(streamId)) return budget.use("closed");
    if (!owner.server) {
      throw this.#owner.isIdle(streamId)
        ? protocolError("HEADERS on a stream that was not opened")
        : new Http2Error(ErrorCode.STREAM_CLOSED, "HEADERS on a closed stream");
    }
    if (streamId % 2 === 0) throw protocolError("A client's stream has an even id");
    if (streamId <= owner.lastPeerStream) {
      if (streams.hasEnded(streamId)) throw new Http2Error(ErrorCode.STREAM_CLOSED, "HEADERS on a closed stream");
      throw protocolError("The id of a new stream is not above those before");
    }
    owner.lastPeerStream = streamId;
    if (streamId > owner.lastAccepted || streams.size >= owner.options.maxStreams) {
      writer.resetStream(streamId, ErrorCode.REFUSED_STREAM);
      streams.refused(streamId);
      return budget.use("refused");
    }
    const { block } = owner;
    const stream = owner.addStream(streamId, NOBODY);
    stream.expectedBytes = block.contentLength;
    stream.remoteEnded = endStream;
    if (endStream && block.contentLength > 0) block.fault ||= "it has a Content-Length and no body";
    owner.host.accept(stream, block, endStream);
  }

  /** Further fields of an open stream. */
  #further(stream: Http2Stream, endStream: boolean): void {
    const owner = this.#owner;
    const { block } = owner;
    if (stream.remoteEnded) return owner.streamError(stream, ErrorCode.STREAM_CLOSED, "HEADERS after the end");
    let { fault } = block;
    if (block.tooLarge) fault = "they are too large";
    if (block.kind === "trailers") {
      if (!endStream) fault = "trailers do not end the stream";
      const { expectedBytes: expected, receivedBytes: received } = stream;
      if (expected >= 0 && received !== expected) fault = `the body has ${received} of ${expected} bytes`;
    } else if (block.status < 200) {
      if (endStream) fault ||= "an interim response ends the stream";
      else if (block.status === 101) fault ||= "its status is 101";
    } else {
      stream.answered = true;
      stream.expectedBytes = block.contentLength;
    }
    if (fault !== "") {
      return owner.streamError(stream, ErrorCode.PROTOCOL_ERROR, `The fields are malformed: ${fault}`);
    }
    if (endStream) stream.remoteEnded = true;
    stream.handler.headers(block, endStream);
    if (!endStream || stream.closed) return;
    // A response to HEAD, or 304: its handler has said so.
    if (stream.expectedBytes > stream.receivedBytes) {
      return owner.streamError(stream, ErrorCode.PROTOCOL_ERROR, "The body that Content-Length announces is missing");
    }
    owner.endRemote(stream);
  }
}

/** A stream has it until its owner sets another. */
const NOBODY: StreamHandler = {
  headers() {},
  data(_bytes, _start, _end) {},
  drained() {},
  reset() {},
};
/** Blocks of fields that are too large are decoded all the same, so that the request alone is refused. */
const MIN_BLOCK_BYTES = 64 * 1024;
