/**
 * The body of a forwarded request: read from the client ahead of the upstream, up to a limit; framed as the client
 * framed it; and counted.
 *
 * @module
 */

import type { ExchangeMetrics } from "../../exchange/exchange.ts";
import type { BodyLimit } from "../../exchange/filter.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { type BodySink, type BodySource, type Ownership, release } from "../../http/body.ts";
import { chunkOf, LAST_CHUNK } from "../../http1/chunked_encoder.ts";
import type { Connection } from "../../upstream/connection/connection.ts";
import type { Deadlines } from "../../upstream/connection/deadlines.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { ReplayBuffer } from "./replay_buffer.ts";
import { SMALL_BYTES, SmallPieces } from "./small_pieces.ts";

/** How large a request body may be, and how much of it is kept in memory. */
export interface BodyRules extends Pick<RetriesConfig, "retry_buffer"> {
  /** undefined for none. */
  readonly limit: BodyLimit | undefined;
  /** Memory for pieces that are read ahead. */
  readonly readAhead: ReadAhead;
}

/** A body that is sent to one upstream at a time. Owned by its exchange; outlives the attempts. */
export class RequestBody implements BodySink {
  /** Content-Length, or below 0 for a chunked body. */
  readonly length: number;
  readonly #source: BodySource;
  readonly #ahead: ReadAhead;
  readonly #pieces: ReplayBuffer;
  readonly #limit: BodyLimit | undefined;
  readonly #metrics: ExchangeMetrics | undefined;
  #readBytes = 0;
  /** Bytes that are counted as read ahead. */
  #aheadBytes = 0;
  #small: SmallPieces | undefined;
  /** Settles when the next piece may be read. */
  #turn: Promise<void> | undefined;
  #resting = false;
  /** Whether a pulled piece has not arrived yet. */
  #pulled = false;
  /** Whether pieces are read ahead of the upstream, and not only on demand. */
  #readsAhead = false;
  #done = false;
  /** Why it broke off. */
  #broken: TransportFailure | undefined;
  #cancelled = false;
  /** Limit the client's silence while a piece is awaited; undefined before there is a connection. */
  #deadlines: Deadlines | undefined;
  #waitedMs = 0;
  /** Number of the current sending; a new attempt replaces the one before. */
  #sending = 0;
  #wake: (() => void) | undefined;

  /** Takes over `source`, which holds `length` bytes; below 0 where that is not known. */
  constructor(source: BodySource, length: number, rules: BodyRules, metrics?: ExchangeMetrics) {
    this.length = length;
    this.#source = source;
    this.#ahead = rules.readAhead;
    this.#pieces = new ReplayBuffer(rules.retry_buffer);
    this.#limit = rules.limit;
    this.#metrics = metrics;
    source.start(this);
  }

  /** Whether the bytes that were sent can be sent again. */
  get replayable(): boolean {
    return this.#pieces.replayable;
  }

  /** Whether it turned out to be empty. */
  get empty(): boolean {
    return this.#done && this.#readBytes === 0 && this.#broken === undefined;
  }

  /**
   * Waits for the first piece, the end of the body, or {@linkcode flushHead}. undefined where there is nothing to wait
   * for.
   */
  begun(): Promise<void> | undefined {
    if (this.#hasBegun) return undefined;
    // A source that has a piece already delivers it within the pull: then there is nothing to wait for.
    this.#pull();
    return this.#hasBegun ? undefined : this.#arrival();
  }

  get #hasBegun(): boolean {
    return this.#pieces.unsent > 0 || this.#done;
  }

  /** Ends the wait in {@linkcode begun}: the head is sent without a piece of the body. */
  flushHead(): void {
    if (this.#pieces.takenBytes === 0) this.#wake?.();
  }

  /**
   * The whole body, if it has arrived, is small and was not sent yet: it is sent in one write with the head. Else
   * undefined.
   */
  takeWhole(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#readBytes !== this.length || this.length > WHOLE_BYTES || this.#pieces.takenBytes > 0) return undefined;
    const whole = this.#take();
    this.#countAhead(0);
    return whole;
  }

  /**
   * Sends the request's head and the pieces that have arrived, in one write.
   *
   * @returns Whether the whole body was sent.
   * @throws {TransportFailure} What the connection throws.
   */
  async sendHead(connection: Connection, head: string): Promise<boolean> {
    const batch = this.#take();
    await connection.sendHead(head, batch && this.#framed(batch));
    this.#sent();
    return this.#pieces.takenBytes === this.length;
  }

  /**
   * Sends the rest of the body, at the speed of the slower side; returns early when {@linkcode interrupt} is called.
   *
   * @returns Whether the whole body was sent.
   * @throws {TransportFailure} `client_left` when the body breaks off, `body_too_large`, or what the body failed with,
   * or the connection throws.
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
        // Another attempt may have started to send the same pieces.
        if (sending !== this.#sending) break;
        this.#sent();
        if (this.#pieces.takenBytes === this.length) return true;
      } else if (this.#done) {
        if (this.length < 0) await connection.send(LAST_CHUNK);
        else if (this.#pieces.takenBytes !== this.length) {
          throw new TransportFailure("client_left", "The client's body is short");
        }
        return true;
      } else {
        await this.#arrival();
      }
    }
    return false;
  }

  /** Ends the waits and the sending of an attempt that has ended. */
  interrupt(): void {
    this.#sending++;
    this.#wake?.();
  }

  /** Starts again at the first byte. Only for a body that is replayable, or of which nothing was sent. */
  rewind(): void {
    this.interrupt();
    this.#pieces.rewind();
  }

  /** Cancels the source. */
  cancel(): void {
    this.#sending++;
    this.#cancelled = true;
    this.#pieces.clear();
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
    this.#pieces.add(bytes, ownership);
    this.#countAhead(this.#aheadBytes + bytes.length);
    if (this.#readBytes === this.length) {
      // The body is complete, so the end is not awaited; but the source must reach it, or the runtime closes the
      // client's connection after the response.
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

  /** The client's body broke off. A failure after the last byte is ignored. */
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
    const tooLarge = this.#limit?.arrived(this.#readBytes);
    if (tooLarge !== undefined) throw new TransportFailure("body_too_large", tooLarge);
    // A program may hand over any body: what is beyond its length would be the next request to the upstream.
    if (this.length >= 0 && this.#readBytes > this.length) {
      throw new TransportFailure(
        "body_too_large",
        `The client's body is longer than the ${this.length} bytes of its Content-Length`,
      );
    }
    if (bytes >= SMALL_BYTES || this.#readBytes === this.length) return;
    this.#turn = (this.#small ??= new SmallPieces()).add(bytes);
  }

  /**
   * Reads ahead from now on, up to a limit. The runtime buffers a body that is read too slowly at a cost that grows
   * with the square of the buffered bytes and stalls the whole process: 64 MB in chunks of 16 kB took 8 to 30 s.
   *
   * @param deadlines Limit the client's silence; those of the last call apply.
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
    if (this.#pieces.unsent >= AHEAD_PIECES || !this.#ahead.allows(this.#aheadBytes)) return;
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

  // Not called while there are unsent pieces. The source may deliver within the pull.
  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#readsAhead) this.#readOn();
      else this.#pull();
    });
  }

  /** The unsent pieces, joined. */
  #take(): Uint8Array<ArrayBuffer> | undefined {
    const before = this.#pieces.furthestBytes;
    const batch = this.#pieces.take();
    if (batch === undefined) return undefined;
    const newBytes = this.#pieces.furthestBytes - before;
    // Bytes that are sent again are not counted again.
    if (newBytes > 0) this.#metrics?.received(newBytes);
    if (this.#readsAhead) this.#readOn();
    return batch;
  }

  #framed(batch: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return this.length >= 0 ? batch : chunkOf(batch);
  }

  /** The pieces that were taken are sent. */
  #sent(): void {
    this.#pieces.sent();
    this.#countAhead(this.#readBytes - this.#pieces.furthestBytes);
    if (this.#readsAhead) this.#readOn();
  }

  #countAhead(bytes: number): void {
    this.#ahead.add(bytes - this.#aheadBytes);
    this.#aheadBytes = bytes;
  }
}

/** Largest body that is sent in one write with the head. */
const WHOLE_BYTES = 64 * 1024;
/** Most unsent pieces. */
const AHEAD_PIECES = 4096;
