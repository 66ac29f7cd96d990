/**
 * A request's body on its way upstream: pulled from the client ahead of the upstream, up to a bound; framed as the client
 * framed it; counted; and kept, up to another bound, so that it can be sent again.
 *
 * @module
 */

import type { ExchangeMetrics } from "../../exchange/exchange.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { type BodySink, type BodySource, keep, type Ownership, release } from "../../http/body.ts";
import { joined } from "../../http/body_reader.ts";
import { chunkOf, LAST_CHUNK } from "../../http1/chunked_encoder.ts";
import type { Connection } from "../../upstream/connection/connection.ts";
import type { Deadlines } from "../../upstream/connection/deadlines.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { SMALL_BYTES, SmallPieces } from "./small_pieces.ts";

/** Bounds of a request's body. */
export interface RequestBodyLimits {
  /** Largest body that is let through, in bytes. */
  readonly maxBytes: number;
  /** Bytes that are kept to be sent again. */
  readonly retry_buffer: number;
  /** Memory for what is read ahead. */
  readonly readAhead: ReadAhead;
}

/** A body that is sent to one upstream at a time. Owned by its exchange; outlives the attempts. */
export class RequestBody implements BodySink {
  /** Content-Length, or below 0 for a chunked body. */
  readonly length: number;
  readonly #source: BodySource;
  readonly #limits: RequestBodyLimits;
  readonly #metrics: ExchangeMetrics | undefined;
  /** From the first byte on while that may be sent again, else from the first byte that is not sent. */
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** The first of {@linkcode #pieces} that has not been handed to the upstream that is being tried. */
  #next = 0;
  /** Who owns all of them. */
  #ownership: Ownership = "given";
  #readBytes = 0;
  /** Bytes that were handed to the upstream that is being tried, and most that were handed to any. */
  #handedBytes = 0;
  #furthestBytes = 0;
  /** Bytes that are counted as read ahead. */
  #aheadBytes = 0;
  #small: SmallPieces | undefined;
  /** Settles when the next piece may be read. */
  #turn: Promise<void> | undefined;
  #resting = false;
  /** Whether a piece has been asked for and is not here yet. */
  #pulled = false;
  /** Whether pieces are read ahead, and not only when one is waited for. */
  #readsAhead = false;
  #done = false;
  /** Why it broke off. */
  #broken: TransportFailure | undefined;
  #cancelled = false;
  /** Bound the client's silence while a piece is waited for, once there is a connection. */
  #deadlines: Deadlines | undefined;
  #waitedMs = 0;
  /** The sending that is under way; a new one takes the place of the old. */
  #sending = 0;
  #wake: (() => void) | undefined;

  /** Takes `source` over, which holds `length` bytes; below 0 where that is not known. */
  constructor(source: BodySource, length: number, limits: RequestBodyLimits, metrics?: ExchangeMetrics) {
    this.length = length;
    this.#source = source;
    this.#limits = limits;
    this.#metrics = metrics;
    source.start(this);
  }

  /** Whether all that has been sent of it can be sent again. */
  get replayable(): boolean {
    return this.#handedBytes <= this.#limits.retry_buffer;
  }

  /** Whether it turned out to be empty. */
  get empty(): boolean {
    return this.#done && this.#readBytes === 0 && this.#broken === undefined;
  }

  /**
   * Waits until some of it is here, or it is over, or {@linkcode flushHead} is called. undefined where there is nothing to
   * wait for.
   */
  begun(): Promise<void> | undefined {
    if (this.#hasBegun) return undefined;
    // A source that has a piece at hand delivers it within the pull: then there is nothing to wait for.
    this.#pull();
    return this.#hasBegun ? undefined : this.#arrival();
  }

  get #hasBegun(): boolean {
    return this.#next < this.#pieces.length || this.#done;
  }

  /** Ends the wait in {@linkcode begun}: the head goes ahead alone. */
  flushHead(): void {
    if (this.#handedBytes === 0) this.#wake?.();
  }

  /**
   * All of it, where all is here, small, and not handed over yet: it goes out with the head, and is not waited for. Else
   * undefined.
   */
  takeWhole(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#readBytes !== this.length || this.length > WHOLE_BYTES || this.#next > 0) return undefined;
    const whole = this.#take();
    this.#countAhead(0);
    return whole;
  }

  /**
   * Sends the request's head with what is here of the body, in one write.
   *
   * @returns Whether the whole body was sent.
   * @throws {TransportFailure} What the connection throws.
   */
  async sendHead(connection: Connection, head: string): Promise<boolean> {
    const batch = this.#take();
    await connection.sendHead(head, batch && this.#framed(batch));
    this.#sent();
    return this.#handedBytes === this.length;
  }

  /**
   * Sends what remains, at the speed of the slower side; returns early when {@linkcode interrupt} ends it.
   *
   * @returns Whether the whole body was sent.
   * @throws {TransportFailure} `client_left` when the body breaks off, `body_too_large`, or what the body failed with, or
   * the connection throws.
   */
  async sendRest(connection: Connection): Promise<boolean> {
    const sending = ++this.#sending;
    this.#readAhead(connection.deadlines);
    while (sending === this.#sending) {
      if (this.#broken !== undefined) throw this.#broken;
      const batch = this.#take();
      if (batch !== undefined) {
        const framed = this.#framed(batch);
        await connection.send(framed);
        if (framed !== batch) release(framed, "given");
        // Another attempt may be sending the same pieces by now.
        if (sending !== this.#sending) break;
        this.#sent();
        if (this.#handedBytes === this.length) return true;
      } else if (this.#done) {
        if (this.length < 0) await connection.send(LAST_CHUNK);
        else if (this.#handedBytes !== this.length) {
          throw new TransportFailure("client_left", "The client's body is short");
        }
        return true;
      } else {
        await this.#arrival();
      }
    }
    return false;
  }

  /** Ends the waits and the sending of an attempt that is over. */
  interrupt(): void {
    this.#sending++;
    this.#wake?.();
  }

  /** Goes back to its first byte. Only for one that is replayable, or of which nothing was sent. */
  rewind(): void {
    this.interrupt();
    this.#next = 0;
    this.#handedBytes = 0;
  }

  /** Lets the client's side go. */
  cancel(): void {
    this.#sending++;
    this.#cancelled = true;
    this.#pieces = [];
    this.#next = 0;
    this.#countAhead(0);
    this.#wake?.();
    this.#source.cancel("The request's body is not wanted any more");
  }

  /** The next piece from the client. */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#arrived();
    this.#readBytes += bytes.length;
    try {
      this.#check(bytes.length);
    } catch (error) {
      return this.fail(error);
    }
    if (ownership === "shared") this.#ownership = "shared";
    this.#pieces.push(keep(bytes, ownership));
    this.#countAhead(this.#aheadBytes + bytes.length);
    if (this.#readBytes === this.length) {
      // Nothing more can come, so nobody waits for the end; but the source is to come to it, or the runtime closes the
      // client's connection behind the response.
      this.#done = true;
      this.#source.pull();
    } else if (this.#readsAhead) {
      this.#readOn();
    }
    this.#wake?.();
  }

  /** The client's body is complete. */
  end(): void {
    this.#arrived();
    this.#done = true;
    this.#wake?.();
  }

  /** The client's body broke off. What comes behind the last byte changes nothing. */
  fail(reason: unknown): void {
    this.#arrived();
    if (this.#done || this.#cancelled) return;
    this.#done = true;
    this.#broken = reason instanceof TransportFailure
      ? reason
      : new TransportFailure("client_left", "The client broke off its body", reason);
    this.#wake?.();
  }

  #arrived(): void {
    this.#pulled = false;
    this.#waitedMs += this.#deadlines?.endUpload() ?? 0;
  }

  #check(bytes: number): void {
    const { maxBytes } = this.#limits;
    if (this.#readBytes > maxBytes) {
      throw new TransportFailure("body_too_large", `The client's body is larger than ${maxBytes} bytes`);
    }
    if (bytes >= SMALL_BYTES || this.#readBytes === this.length) return;
    this.#turn = (this.#small ??= new SmallPieces()).add(bytes);
  }

  /**
   * Reads on from now, up to a bound, whoever takes it. The runtime buffers what a client sends faster than it is read, in
   * a way that costs the square of it and stalls the whole process: 64 MB in chunks of 16 kB took 8 to 30 s.
   *
   * @param deadlines Bound the client's silence; those of the last call count.
   */
  #readAhead(deadlines: Deadlines): void {
    this.#deadlines = deadlines;
    if (this.#pulled) deadlines.awaitUpload(this.#readBytes, this.#waitedMs);
    this.#readsAhead = true;
    this.#readOn();
  }

  #readOn(): void {
    if (this.#pulled || this.#done || this.#cancelled) return;
    if (this.#turn !== undefined) return this.#awaitTurn(this.#turn);
    if (this.#pieces.length - this.#next >= AHEAD_PIECES || !this.#limits.readAhead.allows(this.#aheadBytes)) return;
    this.#pull();
  }

  #awaitTurn(turn: Promise<void>): void {
    if (this.#resting) return;
    this.#resting = true;
    turn.then(() => {
      this.#resting = false;
      this.#turn = undefined;
      this.#readOn();
    });
  }

  #pull(): void {
    if (this.#pulled || this.#done || this.#cancelled) return;
    this.#pulled = true;
    this.#deadlines?.awaitUpload(this.#readBytes, this.#waitedMs);
    this.#source.pull();
  }

  // Not called while pieces wait. The source may deliver within the pull.
  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#readsAhead) this.#readOn();
      else this.#pull();
    });
  }

  /** All pieces that wait, as one. */
  #take(): Uint8Array<ArrayBuffer> | undefined {
    const waiting = this.#pieces.length - this.#next;
    if (waiting === 0) return undefined;
    if (waiting > 1) this.#join();
    const batch = this.#pieces[this.#next++];
    this.#handedBytes += batch.length;
    if (this.#handedBytes > this.#furthestBytes) {
      this.#metrics?.received(this.#handedBytes - this.#furthestBytes);
      this.#furthestBytes = this.#handedBytes;
    }
    if (this.#readsAhead) this.#readOn();
    return batch;
  }

  #join(): void {
    const pieces = this.#pieces.splice(this.#next);
    let bytes = 0;
    for (const piece of pieces) bytes += piece.length;
    this.#pieces.push(joined(pieces, bytes));
    for (const piece of pieces) release(piece, this.#ownership);
  }

  #framed(batch: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return this.length >= 0 ? batch : chunkOf(batch);
  }

  /** All that was handed over has been sent: what cannot be sent again is not kept. */
  #sent(): void {
    if (!this.replayable) {
      for (const piece of this.#pieces.splice(0, this.#next)) release(piece, this.#ownership);
      this.#next = 0;
    }
    this.#countAhead(this.#readBytes - this.#furthestBytes);
    if (this.#readsAhead) this.#readOn();
  }

  #countAhead(bytes: number): void {
    this.#limits.readAhead.add(bytes - this.#aheadBytes);
    this.#aheadBytes = bytes;
  }
}

/** Largest body that goes out in one write with the head. */
const WHOLE_BYTES = 64 * 1024;
/** Most pieces that wait. */
const AHEAD_PIECES = 4096;
