/**
 * The settings of a peer (RFC 9113, section 6.5; RFC 8441, section 3).
 *
 * @module
 */

import { ErrorCode, Http2Error } from "./error_code.ts";
import { FIRST_WINDOW_BYTES, MAX_FRAME_BYTES, MAX_WINDOW_BYTES, number32 } from "./frame.ts";

export const HEADER_TABLE_SIZE = 0x1;
export const ENABLE_PUSH = 0x2;
export const MAX_CONCURRENT_STREAMS = 0x3;
export const INITIAL_WINDOW_SIZE = 0x4;
export const MAX_FRAME_SIZE = 0x5;
export const MAX_HEADER_LIST_SIZE = 0x6;
export const ENABLE_CONNECT_PROTOCOL = 0x8;

/** What a peer has set, and before that the values with which a connection begins. */
export class PeerSettings {
  /** Largest dynamic table of HPACK that the peer decodes with. */
  headerTableSize = 4096;
  /** Streams that the peer lets be open at once. */
  maxConcurrentStreams = Infinity;
  /** Window of each new stream towards the peer. */
  initialWindowSize = FIRST_WINDOW_BYTES;
  /** Size of a header list that the peer takes; for information only. */
  maxHeaderListSize = Infinity;
  /** Whether the peer takes extended CONNECT. */
  connectProtocol = false;

  /**
   * Takes the payload of a SETTINGS frame, in its order.
   *
   * @param byServer Whether the peer is a server.
   * @throws {Http2Error} When a value is not allowed.
   */
  apply(bytes: Uint8Array, start: number, end: number, byServer: boolean): void {
    if ((end - start) % 6 !== 0) {
      throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "The length of SETTINGS is no multiple of 6");
    }
    for (let at = start; at < end; at += 6) {
      this.#set((bytes[at] << 8) | bytes[at + 1], number32(bytes, at + 2), byServer);
    }
  }

  #set(setting: number, value: number, byServer: boolean): void {
    switch (setting) {
      case HEADER_TABLE_SIZE:
        this.headerTableSize = value;
        return;
      case ENABLE_PUSH:
        if (value > 1 || (byServer && value === 1)) throw illegal("ENABLE_PUSH", value);
        return;
      case MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        return;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) throw illegal("INITIAL_WINDOW_SIZE", value, ErrorCode.FLOW_CONTROL_ERROR);
        this.initialWindowSize = value;
        return;
      case MAX_FRAME_SIZE:
        // Frames larger than the smallest allowed maximum are never sent.
        if (value < MAX_FRAME_BYTES || value > 2 ** 24 - 1) throw illegal("MAX_FRAME_SIZE", value);
        return;
      case MAX_HEADER_LIST_SIZE:
        this.maxHeaderListSize = value;
        return;
      case ENABLE_CONNECT_PROTOCOL:
        // It cannot be taken back (RFC 8441, section 3).
        if (value > 1 || (this.connectProtocol && value === 0)) throw illegal("ENABLE_CONNECT_PROTOCOL", value);
        this.connectProtocol = value === 1;
        return;
    }
  }
}

function illegal(name: string, value: number, code: number = ErrorCode.PROTOCOL_ERROR): Http2Error {
  return new Http2Error(code, `SETTINGS_${name} is ${value}`);
}
