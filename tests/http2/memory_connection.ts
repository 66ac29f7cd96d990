/**
 * A connection of HTTP/2 without a socket: what it sends is kept, and its requests are responded to by a script.
 *
 * @module
 */

import type { FieldBlock } from "../../lib/http2/field_block.ts";
import type { Http2Error } from "../../lib/http2/error_code.ts";
import { Http2Connection } from "../../lib/http2/connection.ts";
import type { ConnectionHost, Http2Options } from "../../lib/http2/connection_options.ts";
import type { Http2Stream, ResetCause, StreamHandler } from "../../lib/http2/stream.ts";
import { CoarseClock } from "../../lib/state/coarse_clock.ts";
import { Frames } from "../support/http2_frames.ts";

/** A server or a client in memory. */
export class MemoryConnection implements ConnectionHost {
  readonly clock = new CoarseClock();
  readonly sent = new Frames();
  readonly connection: Http2Connection;
  /** Whether the peer takes bytes. */
  queuedBytes = 0;
  /** Bytes that were sent, as they are. */
  onSent: (bytes: Uint8Array<ArrayBuffer>) => void = () => {};
  /** Called for each request. */
  onRequest: (stream: Http2Stream, block: FieldBlock, ended: boolean) => void = () => {};
  streams = new Map<number, Http2Stream>();
  failures: Http2Error[] = [];
  closedStreams = 0;
  goAways: [number, number][] = [];
  pongs = 0;

  constructor(options: Partial<Http2Options> = {}) {
    const { role = "server" } = options;
    const sink = {
      write: (bytes: Uint8Array<ArrayBuffer>) => {
        const copy = bytes.slice();
        this.sent.take(role === "client" && this.#first ? copy.subarray(24) : copy);
        this.#first = false;
        this.onSent(copy);
        return true;
      },
      get queuedBytes(): number {
        return queued();
      },
    };
    const queued = () => this.queuedBytes;
    this.connection = new Http2Connection(this, sink, {
      ...{ role, clock: this.clock, fieldLimits: { maxBytes: 32 * 1024, maxLines: 128 } },
      ...options,
    });
    this.connection.flush();
  }

  #first = true;

  /** Gives it bytes, `step` at a time. */
  receive(bytes: Uint8Array<ArrayBuffer>, step = bytes.length): void {
    for (let at = 0; at < bytes.length; at += Math.max(1, step)) {
      const piece = bytes.slice(at, at + Math.max(1, step));
      this.connection.received(piece, 0, piece.length);
      // It was lent: nobody may refer to it any more.
      piece.fill(0xee);
    }
  }

  accept(stream: Http2Stream, block: FieldBlock, ended: boolean): void {
    this.streams.set(stream.id, stream);
    this.onRequest(stream, block, ended);
  }

  streamClosed(): void {
    this.closedStreams++;
  }

  settingsChanged(): void {}

  goAway(last: number, code: number): void {
    this.goAways.push([last, code]);
  }

  pong(): void {
    this.pongs++;
  }

  failed(error: Http2Error): void {
    this.failures.push(error);
  }
}

/** All fields of a block, pseudo-fields first. */
export function fieldsOf({ method, scheme, authority, path, protocol, status, lines }: FieldBlock): string[] {
  const pseudo: [string, string | undefined][] = [
    [":method", method],
    [":scheme", scheme],
    [":authority", authority],
    [":path", path],
    [":protocol", protocol],
    [":status", status === 0 ? undefined : String(status)],
  ];
  return [...pseudo.flatMap(([name, value]) => value === undefined ? [] : [name, value]), ...lines];
}

/** Records a stream's events. */
export class Recorder implements StreamHandler {
  readonly blocks: { fields: string[]; ended: boolean }[] = [];
  readonly resets: [number, ResetCause][] = [];
  text = "";
  ended = false;
  drains = 0;
  /** Whether bytes are consumed as they arrive. */
  consumes = true;
  stream: Http2Stream | undefined;
  onDrained: () => void = () => {};
  onEnded: () => void = () => {};

  headers(block: FieldBlock, ended: boolean): void {
    this.blocks.push({ fields: fieldsOf(block), ended });
    if (ended) this.#end();
  }

  data(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void {
    for (let i = start; i < end; i++) this.text += String.fromCharCode(bytes[i]);
    if (this.consumes) this.stream?.consumed(end - start);
    if (ended) this.#end();
  }

  drained(): void {
    this.drains++;
    this.onDrained();
  }

  reset(code: number, cause: ResetCause): void {
    this.resets.push([code, cause]);
  }

  #end(): void {
    this.ended = true;
    this.onEnded();
  }
}
