/**
 * Frames without fields and data: settings, pings, windows, resets, and the end of a connection (RFC 9113, sections 6.3
 * to 6.9).
 *
 * @module
 */

import { ErrorCode, flowError, protocolError, sizeError } from "./error_code.ts";
import {
  FLAG_ACK,
  GOAWAY,
  MAX_WINDOW_BYTES,
  number31,
  number32,
  PING,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frame.ts";
import type { FrameOwner } from "./frame_owner.ts";

/** Acts on the control frames of the peer. */
export class ControlFrames {
  /** Whether the peer's first settings have arrived. */
  settled = false;
  /** Whether the peer has acknowledged this side's first settings. */
  acknowledged = false;
  readonly #owner: FrameOwner;

  constructor(owner: FrameOwner) {
    this.#owner = owner;
  }

  /**
   * Takes a frame, its payload `bytes[start … end)`.
   *
   * @throws {Http2Error} When the connection is to end.
   */
  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case PRIORITY:
        return this.#priority(streamId, end - start);
      case RST_STREAM:
        return this.#reset(streamId, bytes, start, end);
      case SETTINGS:
        return this.#settings(flags, streamId, bytes, start, end);
      case PING:
        return this.#ping(flags, streamId, bytes, start, end);
      case GOAWAY:
        return this.#goAway(streamId, bytes, start, end);
      case WINDOW_UPDATE:
        return this.#windowUpdate(streamId, bytes, start, end);
    }
  }

  #priority(streamId: number, length: number): void {
    if (streamId === 0) throw protocolError("PRIORITY on stream 0");
    if (length === 5) return;
    const stream = this.#owner.streams.get(streamId);
    if (stream === undefined) throw sizeError("PRIORITY");
    this.#owner.streamError(stream, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY has no 5 bytes");
  }

  #reset(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    if (streamId === 0) throw protocolError("RST_STREAM on stream 0");
    if (end - start !== 4) throw sizeError("RST_STREAM");
    if (this.#owner.isIdle(streamId)) throw protocolError("RST_STREAM on a stream that is not open yet");
    if (owner.server) owner.budget.use("reset");
    const stream = owner.streams.get(streamId);
    if (stream !== undefined) owner.abort(stream, number32(bytes, start), "peer", "");
  }

  #settings(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    if (streamId !== 0) throw protocolError("SETTINGS on a stream");
    if ((flags & FLAG_ACK) !== 0) {
      if (start !== end) throw sizeError("The acknowledgement of SETTINGS");
      this.acknowledged = true;
      return;
    }
    this.settled = true;
    owner.budget.use("settings");
    const { initialWindowSize } = owner.settings;
    owner.settings.apply(bytes, start, end, !owner.server);
    owner.settingsApplied(initialWindowSize);
    owner.writer.settingsAck();
  }

  #ping(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    if (streamId !== 0) throw protocolError("PING on a stream");
    if (end - start !== 8) throw sizeError("PING");
    if ((flags & FLAG_ACK) !== 0) return owner.ponged(bytes[start]);
    owner.budget.use("ping");
    owner.writer.ping(bytes, start, true);
  }

  #goAway(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    if (streamId !== 0) throw protocolError("GOAWAY on a stream");
    if (end - start < 8) throw sizeError("GOAWAY");
    // A second one may follow; many are a flood of SETTINGS' kind.
    owner.budget.use("settings");
    owner.peerLeaving = true;
    const last = number31(bytes, start);
    const code = number32(bytes, start + 4);
    if (!owner.server) {
      for (const stream of owner.streams.values()) {
        if (stream.id > last) owner.abort(stream, code, "unprocessed", "The peer ends the connection");
      }
    }
    owner.host.goAway(last, code);
  }

  #windowUpdate(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    const { scheduler, budget } = owner;
    if (end - start !== 4) throw sizeError("WINDOW_UPDATE");
    const increase = number31(bytes, start);
    if (streamId === 0) {
      if (increase === 0) throw protocolError("WINDOW_UPDATE increases the window by 0");
      scheduler.windowBytes += increase;
      if (scheduler.windowBytes > MAX_WINDOW_BYTES) throw flowError("The window of the connection is too large");
      return budget.use("window", scheduler.waiting && scheduler.windowBytes < TINY_WINDOW ? TINY_COST : 1);
    }
    if (this.#owner.isIdle(streamId)) throw protocolError("WINDOW_UPDATE on a stream that is not open yet");
    const stream = owner.streams.get(streamId);
    if (stream === undefined) return budget.use("window");
    if (increase === 0) return owner.streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    stream.sendWindow += increase;
    if (stream.sendWindow > MAX_WINDOW_BYTES) {
      return owner.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "The window of the stream is too large");
    }
    budget.use("window", stream.queuedBytes > 0 && stream.sendWindow < TINY_WINDOW ? TINY_COST : 1);
    scheduler.windowOpened(stream);
  }
}

/** A window that lets a waiting stream send fewer bytes than this. */
const TINY_WINDOW = 256;
/** What such a window costs: with it, a stream of a few megabytes would take as many frames as bytes. */
const TINY_COST = 20;
