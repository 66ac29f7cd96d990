/**
 * What a server of HTTP/2 must do with frames that break the rules, by section of RFC 9113.
 *
 * @module
 */

import { block, bytesOf, frame, GET, number, POST, settings } from "../support/http2_frames.ts";
import { ErrorCode } from "../../lib/http2/error_code.ts";

/** What is expected: the connection ends, the stream ends, or neither. */
export type Expected = { connection: number } | { stream: number; code: number } | "goes on";

/** A section, what is sent behind the preface, and what is expected. Streams 1, 3, … are responded to with 200. */
export type Case = readonly [section: string, name: string, sent: Uint8Array<ArrayBuffer>, expected: Expected];

const END = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
const get = block(GET);
const post = block(POST);
const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, COMPRESSION_ERROR } = ErrorCode;

const connection = (code: number): Expected => ({ connection: code });
const stream = (code: number, id = 1): Expected => ({ stream: id, code });
const headers = (id: number, flags: number, payload: Uint8Array | number[]) => frame(1, flags, id, payload);
const open = headers(1, END_HEADERS, post);
const whole = headers(1, END_HEADERS | END, get);

export const CASES: readonly Case[] = [
  ["4.1", "a frame of an unknown type is ignored", bytesOf(frame(0x16, 0, 0, [1, 2, 3]), whole), "goes on"],
  [
    "4.1",
    "flags that a type does not have are ignored",
    bytesOf(frame(6, 0x16, 0, new Uint8Array(8)), whole),
    "goes on",
  ],
  ["4.1", "the reserved bit is ignored", bytesOf(frame(6, 0, 2 ** 31, new Uint8Array(8)), whole), "goes on"],
  ["4.2", "a DATA frame of 16384 bytes is taken", bytesOf(open, frame(0, END, 1, new Uint8Array(16384))), "goes on"],
  [
    "4.2",
    "a DATA frame above the largest size",
    bytesOf(open, frame(0, END, 1, new Uint8Array(16385))),
    connection(FRAME_SIZE_ERROR),
  ],
  [
    "4.2",
    "HEADERS above the largest size",
    headers(1, END_HEADERS, new Uint8Array(16385)),
    connection(FRAME_SIZE_ERROR),
  ],
  [
    "4.3",
    "a header block with an index that does not exist",
    headers(1, 5, [0xff, 0xff, 0x7f]),
    connection(COMPRESSION_ERROR),
  ],
  ["4.3", "a header block that ends within a field", headers(1, 5, [0x40, 0x0a]), connection(COMPRESSION_ERROR)],
  [
    "4.3",
    "another frame within a header block",
    bytesOf(headers(1, END, get.slice(0, 5)), frame(6, 0, 0, new Uint8Array(8))),
    connection(PROTOCOL_ERROR),
  ],
  [
    "4.3",
    "a frame of an unknown type within a header block",
    bytesOf(headers(1, END, get.slice(0, 5)), frame(0x99, 0, 0, [])),
    connection(PROTOCOL_ERROR),
  ],
  [
    "4.3",
    "CONTINUATION of another stream",
    bytesOf(headers(1, END, get.slice(0, 5)), frame(9, END_HEADERS, 3, get.slice(5))),
    connection(PROTOCOL_ERROR),
  ],
  [
    "4.3",
    "HEADERS of another stream within a header block",
    bytesOf(headers(1, END, get.slice(0, 5)), headers(3, END_HEADERS | END, get)),
    connection(PROTOCOL_ERROR),
  ],
  ["5.1", "idle: DATA", frame(0, END, 1, [1]), connection(PROTOCOL_ERROR)],
  ["5.1", "idle: RST_STREAM", frame(3, 0, 1, number(8)), connection(PROTOCOL_ERROR)],
  ["5.1", "idle: WINDOW_UPDATE", frame(8, 0, 1, number(100)), connection(PROTOCOL_ERROR)],
  ["5.1", "idle: CONTINUATION", frame(9, END_HEADERS, 1, get), connection(PROTOCOL_ERROR)],
  ["5.1", "idle: PRIORITY is allowed", bytesOf(frame(2, 0, 5, new Uint8Array(5)), whole), "goes on"],
  [
    "5.1",
    "half-closed (remote): DATA",
    bytesOf(headers(1, END_HEADERS | END, block([...GET, "x-wait", "1"])), frame(0, END, 1, [1])),
    stream(STREAM_CLOSED),
  ],
  [
    "5.1",
    "half-closed (remote): HEADERS",
    bytesOf(headers(1, END_HEADERS | END, block([...GET, "x-wait", "1"])), whole),
    stream(STREAM_CLOSED),
  ],
  [
    "5.1",
    "half-closed (remote): CONTINUATION",
    bytesOf(headers(1, END_HEADERS | END, block([...GET, "x-wait", "1"])), frame(9, END_HEADERS, 1, get)),
    connection(PROTOCOL_ERROR),
  ],
  ["5.1", "closed by its end: DATA", bytesOf(whole, frame(0, END, 1, [1])), stream(STREAM_CLOSED)],
  ["5.1", "closed by its end: HEADERS", bytesOf(whole, whole), connection(STREAM_CLOSED)],
  [
    "5.1",
    "closed by its end: WINDOW_UPDATE, RST_STREAM and PRIORITY are allowed",
    bytesOf(whole, frame(8, 0, 1, number(1)), frame(3, 0, 1, number(8)), frame(2, 0, 1, new Uint8Array(5))),
    "goes on",
  ],
  [
    "5.1",
    "closed by RST_STREAM of the client: DATA",
    bytesOf(open, frame(3, 0, 1, number(8)), frame(0, END, 1, [1])),
    stream(STREAM_CLOSED),
  ],
  [
    "5.1",
    "closed by RST_STREAM of the client: HEADERS",
    bytesOf(open, frame(3, 0, 1, number(8)), whole),
    connection(STREAM_CLOSED),
  ],
  ["5.1.1", "an even id", headers(2, END_HEADERS | END, get), connection(PROTOCOL_ERROR)],
  ["5.1.1", "an id below one before", bytesOf(headers(5, 5, get), headers(3, 5, get)), connection(PROTOCOL_ERROR)],
  ["5.4.1", "a peer that goes away is no error", bytesOf(whole, frame(7, 0, 0, new Uint8Array(8))), "goes on"],
  ["6.1", "DATA on stream 0", frame(0, 0, 0, [1]), connection(PROTOCOL_ERROR)],
  ["6.1", "padding as long as its frame", bytesOf(open, frame(0, PADDED | END, 1, [2, 1])), connection(PROTOCOL_ERROR)],
  [
    "6.1",
    "a padded frame without a length of padding",
    bytesOf(open, frame(0, PADDED | END, 1, [])),
    connection(FRAME_SIZE_ERROR),
  ],
  ["6.1", "data with padding", bytesOf(open, frame(0, PADDED | END, 1, [3, 65, 66, 0, 0, 0])), "goes on"],
  ["6.1", "padding alone", bytesOf(open, frame(0, PADDED | END, 1, [3, 0, 0, 0])), "goes on"],
  ["6.2", "HEADERS on stream 0", headers(0, 5, get), connection(PROTOCOL_ERROR)],
  [
    "6.2",
    "padding longer than the frame",
    headers(1, 5 | PADDED, bytesOf([get.length + 1], get)),
    connection(PROTOCOL_ERROR),
  ],
  [
    "6.2",
    "padding and priority",
    headers(1, 5 | PADDED | PRIORITY, bytesOf([2, 0, 0, 0, 0, 16], get, [0, 0])),
    "goes on",
  ],
  ["6.2", "too short for its priority", headers(1, 5 | PRIORITY, [0, 0, 0]), connection(FRAME_SIZE_ERROR)],
  ["6.3", "PRIORITY on stream 0", frame(2, 0, 0, new Uint8Array(5)), connection(PROTOCOL_ERROR)],
  ["6.3", "PRIORITY of a wrong length", bytesOf(open, frame(2, 0, 1, new Uint8Array(4))), stream(FRAME_SIZE_ERROR)],
  ["6.4", "RST_STREAM on stream 0", frame(3, 0, 0, number(8)), connection(PROTOCOL_ERROR)],
  ["6.4", "RST_STREAM of a wrong length", bytesOf(open, frame(3, 0, 1, [0, 0, 8])), connection(FRAME_SIZE_ERROR)],
  ["6.5", "SETTINGS on a stream", frame(4, 0, 1), connection(PROTOCOL_ERROR)],
  ["6.5", "SETTINGS of a wrong length", frame(4, 0, 0, [0, 3, 0]), connection(FRAME_SIZE_ERROR)],
  ["6.5", "an acknowledgement with a payload", frame(4, 1, 0, settings([3, 1])), connection(FRAME_SIZE_ERROR)],
  ["6.5.2", "ENABLE_PUSH of 2", frame(4, 0, 0, settings([2, 2])), connection(PROTOCOL_ERROR)],
  ["6.5.2", "INITIAL_WINDOW_SIZE above 2^31-1", frame(4, 0, 0, settings([4, 2 ** 31])), connection(FLOW_CONTROL_ERROR)],
  ["6.5.2", "MAX_FRAME_SIZE below 16384", frame(4, 0, 0, settings([5, 16383])), connection(PROTOCOL_ERROR)],
  ["6.5.2", "MAX_FRAME_SIZE above 2^24-1", frame(4, 0, 0, settings([5, 2 ** 24])), connection(PROTOCOL_ERROR)],
  ["6.5.2", "a setting that is unknown", bytesOf(frame(4, 0, 0, settings([0xff, 7])), whole), "goes on"],
  [
    "6.6",
    "PUSH_PROMISE of a client",
    bytesOf(open, frame(5, 4, 1, bytesOf(number(2), get))),
    connection(PROTOCOL_ERROR),
  ],
  ["6.7", "PING on a stream", frame(6, 0, 1, new Uint8Array(8)), connection(PROTOCOL_ERROR)],
  ["6.7", "PING of a wrong length", frame(6, 0, 0, new Uint8Array(6)), connection(FRAME_SIZE_ERROR)],
  ["6.7", "a reply to no ping", bytesOf(frame(6, 1, 0, new Uint8Array(8)), whole), "goes on"],
  ["6.8", "GOAWAY on a stream", frame(7, 0, 1, new Uint8Array(8)), connection(PROTOCOL_ERROR)],
  ["6.8", "GOAWAY that is too short", frame(7, 0, 0, new Uint8Array(7)), connection(FRAME_SIZE_ERROR)],
  ["6.9", "WINDOW_UPDATE of 0 for the connection", frame(8, 0, 0, number(0)), connection(PROTOCOL_ERROR)],
  ["6.9", "WINDOW_UPDATE of 0 for a stream", bytesOf(open, frame(8, 0, 1, number(0))), stream(PROTOCOL_ERROR)],
  ["6.9", "WINDOW_UPDATE of a wrong length", frame(8, 0, 0, [0, 0, 1]), connection(FRAME_SIZE_ERROR)],
  [
    "6.9.1",
    "a window of the connection above 2^31-1",
    bytesOf(frame(8, 0, 0, number(2 ** 31 - 1)), frame(8, 0, 0, number(1))),
    connection(FLOW_CONTROL_ERROR),
  ],
  [
    "6.9.1",
    "a window of a stream above 2^31-1",
    bytesOf(open, frame(8, 0, 1, number(2 ** 31 - 1))),
    stream(FLOW_CONTROL_ERROR),
  ],
  [
    "6.9.2",
    "INITIAL_WINDOW_SIZE that makes a window too large",
    bytesOf(open, frame(8, 0, 1, number(2 ** 30)), frame(4, 0, 0, settings([4, 2 ** 31 - 1]))),
    connection(FLOW_CONTROL_ERROR),
  ],
  [
    "6.10",
    "CONTINUATION frames",
    bytesOf(headers(1, END, get.slice(0, 5)), frame(9, 0, 1, get.slice(5, 9)), frame(9, END_HEADERS, 1, get.slice(9))),
    "goes on",
  ],
  [
    "6.10",
    "CONTINUATION on stream 0",
    bytesOf(headers(1, END, get.slice(0, 5)), frame(9, END_HEADERS, 0, get.slice(5))),
    connection(PROTOCOL_ERROR),
  ],
  [
    "6.10",
    "CONTINUATION behind a whole block",
    bytesOf(whole, frame(9, END_HEADERS, 1, get)),
    connection(PROTOCOL_ERROR),
  ],
  [
    "6.10",
    "CONTINUATION behind DATA",
    bytesOf(open, frame(0, 0, 1, [1]), frame(9, END_HEADERS, 1, get)),
    connection(PROTOCOL_ERROR),
  ],
  [
    "8.1",
    "a second HEADERS that does not end the stream",
    bytesOf(open, headers(1, END_HEADERS, block(["x-a", "b"]))),
    stream(PROTOCOL_ERROR),
  ],
  ["8.1", "trailers", bytesOf(open, frame(0, 0, 1, [65]), headers(1, 5, block(["x-a", "b"]))), "goes on"],
  ["8.1", "trailers with a pseudo-field", bytesOf(open, headers(1, 5, block([":path", "/"]))), stream(PROTOCOL_ERROR)],
  [
    "8.1.1",
    "a body longer than its Content-Length",
    bytesOf(headers(1, END_HEADERS, block([...POST, "content-length", "1"])), frame(0, 0, 1, [1, 2])),
    stream(PROTOCOL_ERROR),
  ],
  [
    "8.1.1",
    "a body shorter than its Content-Length",
    bytesOf(
      headers(1, END_HEADERS, block([...POST, "content-length", "3"])),
      frame(0, 0, 1, [1]),
      frame(0, END, 1, [1]),
    ),
    stream(PROTOCOL_ERROR),
  ],
  [
    "8.1.1",
    "trailers before the body is as long as its Content-Length",
    bytesOf(headers(1, END_HEADERS, block([...POST, "content-length", "3"])), headers(1, 5, block(["x-a", "b"]))),
    stream(PROTOCOL_ERROR),
  ],
  [
    "8.1.1",
    "a body as long as its Content-Length",
    bytesOf(
      headers(1, END_HEADERS, block([...POST, "content-length", "3"])),
      frame(0, 0, 1, [1]),
      frame(0, 0, 1, [1, 2]),
      frame(0, END, 1, []),
    ),
    "goes on",
  ],
];
