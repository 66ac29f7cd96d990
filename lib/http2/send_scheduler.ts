/**
 * Decides which stream sends next: each that has something to send gets one frame in its turn, within its window and that
 * of the connection, and while the socket takes it. So no stream starves, however fast another one is fed.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import type { FloodBudget } from "./flood_budget.ts";
import { FIRST_WINDOW_BYTES, MAX_FRAME_BYTES } from "./frame.ts";
import type { FrameWriter } from "./frame_writer.ts";
import type { Http2Stream } from "./stream.ts";

/** Notified of streams that have sent everything. */
export interface SchedulerHost {
  /** All data was written, and the end is to follow; with END_STREAM it has. */
  dataSent(stream: Http2Stream, ended: boolean): void;
}

/** Sends the data of the streams of one connection. */
export class SendScheduler {
  /** Bytes that may be sent on the connection. */
  windowBytes = FIRST_WINDOW_BYTES;
  readonly #host: SchedulerHost;
  readonly #writer: FrameWriter;
  readonly #budget: FloodBudget;
  #first: Http2Stream | undefined;
  #last: Http2Stream | undefined;
  #pumping = false;

  constructor(host: SchedulerHost, writer: FrameWriter, budget: FloodBudget) {
    this.#host = host;
    this.#writer = writer;
    this.#budget = budget;
  }

  /** Whether a stream waits for its turn. */
  get waiting(): boolean {
    return this.#first !== undefined;
  }

  /** As {@linkcode Http2Stream.write}. */
  write(stream: Http2Stream, bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last: boolean): boolean {
    let start = 0;
    if (this.#first === undefined && stream.queuedBytes === 0) {
      do {
        const end = start + this.#allowed(stream, bytes.length - start);
        if (end === start && end < bytes.length) break;
        this.#frame(stream, bytes, start, end, last && end === bytes.length);
        start = end;
      } while (start < bytes.length);
      if (start === bytes.length) {
        if (ownership === "given" && bytes.buffer.byteLength >= MIN_FREED_BYTES) bytes.buffer.transfer(0);
        if (last) {
          this.#host.dataSent(stream, true);
          return false;
        }
        if (this.#allowed(stream, 1) > 0) return true;
        return this.#await(stream);
      }
    }
    if (last) stream.endQueued = true;
    const rest = ownership === "lent" ? bytes.slice(start) : start === 0 ? bytes : bytes.subarray(start);
    (stream.queue ??= []).push(rest);
    stream.queuedBytes += rest.length;
    return this.#await(stream);
  }

  /** The end of `stream` is to follow what it has queued. */
  end(stream: Http2Stream): void {
    stream.wantsRoom = false;
    if (stream.queuedBytes > 0) stream.endQueued = true;
    else this.#host.dataSent(stream, false);
  }

  /** The window of `stream` was increased. */
  windowOpened(stream: Http2Stream): void {
    if (stream.sending && stream.sendWindow > 0) this.#add(stream);
  }

  /** Lets streams send, in their order, for as long as there is room. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#first !== undefined && this.windowBytes > 0 && this.#writer.waitingBytes < MAX_WAITING_BYTES) {
        const stream = this.#first;
        this.#first = stream.next;
        if (this.#first === undefined) this.#last = undefined;
        stream.next = undefined;
        stream.ready = false;
        if (!stream.closed) this.#turn(stream);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #turn(stream: Http2Stream): void {
    if (stream.queuedBytes > 0) {
      this.#sendQueued(stream);
      if (stream.queuedBytes > 0) return this.windowOpened(stream);
      if (stream.endQueued) return;
    }
    if (!stream.wantsRoom) return;
    if (stream.sendWindow <= 0) return;
    stream.wantsRoom = false;
    stream.handler.drained();
  }

  #sendQueued(stream: Http2Stream): void {
    const queue = stream.queue as Uint8Array<ArrayBuffer>[];
    const bytes = queue[0];
    const start = stream.queueStart;
    const end = start + Math.min(this.#allowed(stream, bytes.length - start));
    if (end === start && bytes.length > start) return;
    stream.queuedBytes -= end - start;
    stream.queueStart = end;
    if (end === bytes.length) {
      queue.shift();
      stream.queueStart = 0;
    }
    const ended = stream.endQueued && stream.queuedBytes === 0;
    const last = ended && stream.trailers === undefined;
    this.#frame(stream, bytes, start, end, last);
    if (ended) this.#host.dataSent(stream, last);
  }

  /** Notes that `stream` waits for room. */
  #await(stream: Http2Stream): false {
    stream.wantsRoom = !stream.endQueued;
    if (stream.sendWindow > 0) this.#add(stream);
    return false;
  }

  #add(stream: Http2Stream): void {
    if (stream.ready) return;
    stream.ready = true;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.next = stream;
    this.#last = stream;
  }

  /** How many of `bytes` may be sent in the next frame. */
  #allowed(stream: Http2Stream, bytes: number): number {
    if (this.#writer.waitingBytes >= MAX_WAITING_BYTES) return 0;
    return Math.max(0, Math.min(bytes, MAX_FRAME_BYTES, stream.sendWindow, this.windowBytes));
  }

  #frame(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const count = end - start;
    stream.sendWindow -= count;
    stream.sentBytes += count;
    this.windowBytes -= count;
    this.#writer.data(stream.id, bytes, start, end, endStream);
    // A peer that takes data may well measure with pings, and give windows back frame by frame.
    this.#budget.refill("ping");
    this.#budget.refill("window", 2);
  }
}

/** Bytes that may wait to be accepted by the system while streams go on to send. */
const MAX_WAITING_BYTES = 128 * 1024;
/** Smaller buffers cost the garbage collector less than freeing them at once does. */
const MIN_FREED_BYTES = 8 * 1024;
