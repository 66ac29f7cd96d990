/**
 * The body of a forwarded request: read from the client ahead of the upstream, up to a limit; framed as the client
 * framed it; and counted.
 *
 * @module
 */

import type { ExchangeMetrics } from "../../exchange/exchange.ts";
import type { BodyBuffering, BufferedSource } from "../../exchange/body_buffering.ts";
import type { BodyLimit } from "../../exchange/filter.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource, Ownership } from "../../http/body.ts";
import { sentTrailers } from "../../http/trailers.ts";
import type { Deadlines } from "../../upstream/connection/deadlines.ts";
import type { AskedHead, LentConnection } from "../../upstream/connection/lent_connection.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { ReplayBuffer } from "./replay_buffer.ts";
import { SMALL_BYTES, SmallPieces, type TurnWaiter } from "./small_pieces.ts";

/** How large a request body may be, and how much of it is kept in memory. */
export interface BodyRules extends Pick<RetriesConfig, "retry_buffer"> {
  /** undefined for none. */
  readonly limit: BodyLimit | undefined;
  /** Memory for pieces that are read ahead. */
  readonly readAhead: ReadAhead;
  /**
   * Whether it may arrive at any rate.
   *
   * @default {false}
   */
  readonly streaming?: boolean;
  /** Reads bodies whole before they are sent; undefined where they are sent as they arrive. */
  readonly buffering?: BodyBuffering | undefined;
}

/** Waits for the begin of a body. */
export interface BodyWaiter {
  /** The first piece or the end has arrived, or the head is sent without a piece ({@linkcode RequestBody.flushHead}). */
  bodyBegun(): void;
}

/** The attempt that sends a body. At most one of its functions is called, once. */
export interface BodySender {
  /** Whether what it has sent may have to be sent again. */
  readonly mayResend: boolean;
  /** The whole body was written. */
  bodySent(): void;
  /** The body broke off. */
  bodyBroken(failure: TransportFailure): void;
}

/** The part of a connection that a body uses. */
export type BodyConnection = Pick<
  LentConnection,
  "ask" | "send" | "sendChunk" | "sendLastChunk" | "blocked" | "deadlines"
>;

/** A body that is sent to one upstream at a time. Owned by its exchange; outlives the attempts. */
export class RequestBody implements BodySink, TurnWaiter {
  /** Content-Length, or below 0 for a chunked body. */
  readonly length: number;
  readonly #source: BodySource;
  /** The source, if it has the whole body and can deliver it again. */
  readonly #buffered: BufferedSource | undefined;
  readonly #ahead: ReadAhead;
  readonly #pieces: ReplayBuffer;
  readonly #limit: BodyLimit | undefined;
  readonly #metrics: ExchangeMetrics | undefined;
  #readBytes = 0;
  /** Bytes that are counted as read ahead. */
  #aheadBytes = 0;
  #small: SmallPieces | undefined;
  /** Whether the next piece must wait for its turn. */
  #resting = false;
  /** Whether a pulled piece has not arrived yet. */
  #pulled = false;
  /** Whether pieces are read ahead of the upstream, and not only on demand. */
  #readsAhead = false;
  /** Whether the source lends its pieces: it holds the client back itself, so nothing is read ahead of the upstream. */
  #lends = false;
  #done = false;
  #trailers: readonly string[] | undefined;
  /** Why it broke off. */
  #broken: TransportFailure | undefined;
  #cancelled = false;
  /** Limit the client's silence while a piece is awaited; undefined before there is a connection. */
  #deadlines: Deadlines | undefined;
  #waitedMs = 0;
  #waiter: BodyWaiter | undefined;
  /** Where it is being sent to; undefined between attempts. */
  #connection: BodyConnection | undefined;
  #sender: BodySender | undefined;
  /** Whether a loop that reads or sends is running, which a piece that arrives within it does not begin again. */
  #looping = false;

  /**
   * Takes over `source`, which holds `length` bytes; below 0 where that is not known.
   *
   * @param buffered `source`, if it has the whole body already.
   */
  constructor(
    source: BodySource,
    length: number,
    rules: BodyRules,
    metrics?: ExchangeMetrics,
    buffered?: BufferedSource,
  ) {
    this.length = length;
    this.#source = source;
    this.#buffered = buffered;
    this.#ahead = rules.readAhead;
    this.#pieces = new ReplayBuffer(rules.retry_buffer);
    this.#limit = rules.limit;
    this.#metrics = metrics;
    source.start(this);
  }

  /** Whether the bytes that were sent can be sent again. */
  get replayable(): boolean {
    return this.#pieces.replayable || this.#buffered !== undefined;
  }

  /** Whether it turned out to be empty. */
  get empty(): boolean {
    return this.#done && this.#readBytes === 0 && this.#broken === undefined;
  }

  /**
   * Calls `waiter` once the first piece or the end has arrived: within this call, if it is here already. A lent piece
   * is then sent from where it lies.
   */
  begin(waiter: BodyWaiter): void {
    this.#waiter = waiter;
    if (!this.#hasBegun) this.#pull();
    if (this.#hasBegun) this.flushHead();
  }

  get #hasBegun(): boolean {
    return this.#pieces.unsent > 0 || this.#done;
  }

  /** Ends the wait of {@linkcode begin}: the head is sent without a piece of the body. */
  flushHead(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.bodyBegun();
  }

  /**
   * Sends the request's head and the pieces that have arrived, in one write; then the rest of the body, at the speed of
   * the slower side, until {@linkcode interrupt} is called.
   *
   * @throws {TransportFailure} `closed_unused` when the connection has ended: nothing was sent.
   */
  sendTo(connection: BodyConnection, head: AskedHead, sender: BodySender): void {
    const batch = this.#take();
    connection.ask(head, batch, this.#pieces.batchOwnership, this.length < 0);
    if (!sender.mayResend) this.#pieces.forgo();
    this.#sent(connection);
    this.#connection = connection;
    this.#sender = sender;
    this.#readAhead(connection.deadlines);
    this.#proceed();
  }

  /** The connection accepts bytes again. */
  drained(): void {
    if (!this.#cancelled) this.#countAhead(Math.max(0, this.#readBytes - this.#pieces.furthestBytes));
    this.#proceed();
  }

  /** The exchange of a body that was sent has ended: the connection holds no bytes of it any more. */
  settle(): void {
    this.#countAhead(0);
    this.#buffered?.release();
  }

  /** Ends the waits and the sending of an attempt that has ended. */
  interrupt(): void {
    this.#connection = undefined;
    this.#sender = undefined;
    this.#waiter = undefined;
  }

  /** Starts again at the first byte. Only for a body that is replayable, or of which nothing was sent. */
  rewind(): void {
    this.interrupt();
    if (this.#buffered !== undefined && !this.#pieces.replayable) this.#restart(this.#buffered);
    this.#pieces.rewind();
  }

  #restart(buffered: BufferedSource): void {
    buffered.rewind();
    this.#pieces.clear();
    this.#countAhead(0);
    this.#readBytes = 0;
    this.#pulled = this.#done = false;
  }

  /** Cancels the source. */
  cancel(): void {
    this.interrupt();
    this.#cancelled = true;
    this.#pieces.clear();
    this.#countAhead(0);
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
    this.#lends = ownership === "lent";
    this.#countAhead(this.#aheadBytes + bytes.length);
    if (this.#passes(bytes.length)) this.#pass(bytes, ownership);
    else this.#pieces.add(bytes, ownership);
    if (this.#readBytes === this.length) {
      // The body is complete, so the end is not awaited; but the source must reach it, or the runtime closes the
      // client's connection after the response.
      this.#done = true;
      this.#source.pull();
    }
    this.#more();
    this.#pieces.keepLent();
  }

  /** The client's body is complete. */
  end(trailers?: readonly string[]): void {
    this.#arrived();
    this.#trailers = trailers;
    this.#done = true;
    this.#more();
  }

  /** The client's body broke off. A failure after the last byte is ignored. */
  fail(reason: unknown): void {
    this.#arrived();
    if (this.#done || this.#cancelled) return;
    this.#done = true;
    this.#broken = reason instanceof TransportFailure
      ? reason
      : new TransportFailure("client_left", "The client broke off its body", reason);
    this.#more();
  }

  /** The next small piece may be read. */
  onTurn(): void {
    this.#resting = false;
    this.#proceed();
  }

  #arrived(): void {
    // The connection of a body that was sent may serve another exchange by now.
    if (!this.#pulled) return;
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
    if (!(this.#small ??= new SmallPieces()).add(bytes, this)) this.#resting = true;
  }

  // Whether a piece is sent as it came: the upstream takes bytes, and nothing is kept for a retry any more.
  #passes(bytes: number): boolean {
    const connection = this.#connection;
    return connection !== undefined && !connection.blocked && this.#pieces.unsent === 0 && !this.#pieces.keeps(bytes);
  }

  /** Something arrived. */
  #more(): void {
    if (this.#waiter !== undefined) this.flushHead();
    else this.#proceed();
  }

  /** Sends what can be sent, and reads what may be read. */
  #proceed(): void {
    if (this.#looping) return;
    this.#looping = true;
    while (this.#sendNext() || this.#readNext());
    this.#looping = false;
  }

  /** Sends the pieces that have arrived, or the end. Returns whether there may be more to send. */
  #sendNext(): boolean {
    const connection = this.#connection;
    if (connection === undefined) return false;
    if (this.#broken !== undefined) return this.#finish(this.#broken);
    if (this.#pieces.takenBytes === this.length) return this.#finish();
    if (connection.blocked) return false;
    const batch = this.#take();
    if (batch !== undefined) {
      this.#write(batch, this.#pieces.batchOwnership);
      return true;
    }
    if (!this.#done) return false;
    if (this.length >= 0) return this.#finish(new TransportFailure("client_left", "The client's body is short"));
    connection.sendLastChunk(this.#trailers && sentTrailers(this.#trailers));
    return this.#finish();
  }

  #finish(failure?: TransportFailure): false {
    const sender = this.#sender;
    this.interrupt();
    if (failure === undefined) sender?.bodySent();
    else sender?.bodyBroken(failure);
    return false;
  }

  #pass(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    const before = this.#pieces.furthestBytes;
    this.#pieces.pass(bytes.length);
    const more = this.#pieces.furthestBytes - before;
    if (more > 0) this.#metrics?.received(more);
    this.#write(bytes, ownership);
  }

  #write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    const connection = this.#connection as BodyConnection;
    if (this.length >= 0) connection.send(bytes, ownership);
    else connection.sendChunk(bytes, ownership);
    this.#sent(connection);
  }

  /**
   * Reads the next piece if it may be read. A body may be read ahead of its upstream, up to a limit: the runtime
   * buffers one that is read too slowly at a cost that grows with the square of the buffered bytes and stalls the whole
   * process: 64 MB in chunks of 16 kB took 8 to 30 s.
   *
   * @returns Whether something arrived.
   */
  #readNext(): boolean {
    if (!this.#readsAhead || this.#pulled || this.#resting || this.#done || this.#cancelled) return false;
    if (this.#lends && this.#connection?.blocked !== false) return false;
    if (this.#pieces.unsent >= AHEAD_PIECES || !this.#ahead.allows(this.#aheadBytes)) return false;
    this.#pull();
    return !this.#pulled;
  }

  /** Reads ahead from now on. `deadlines` limit the client's silence; those of the last call apply. */
  #readAhead(deadlines: Deadlines): void {
    this.#deadlines = deadlines;
    if (this.#pulled) deadlines.awaitUpload(this.#readBytes, this.#waitedMs);
    this.#readsAhead = true;
  }

  #pull(): void {
    if (this.#pulled || this.#done || this.#cancelled) return;
    this.#pulled = true;
    this.#deadlines?.awaitUpload(this.#readBytes, this.#waitedMs);
    this.#source.pull();
  }

  /** The unsent pieces, joined. */
  #take(): Uint8Array<ArrayBuffer> | undefined {
    const before = this.#pieces.furthestBytes;
    const batch = this.#pieces.take();
    const more = this.#pieces.furthestBytes - before;
    if (more > 0) this.#metrics?.received(more);
    return batch;
  }

  /** The pieces taken were written: a body that cannot be sent again drops them. */
  #sent(connection: BodyConnection): void {
    this.#pieces.sent();
    // Bytes that the system has not accepted are still held.
    if (!connection.blocked) this.#countAhead(Math.max(0, this.#readBytes - this.#pieces.furthestBytes));
  }

  #countAhead(bytes: number): void {
    this.#ahead.add(bytes - this.#aheadBytes);
    this.#aheadBytes = bytes;
  }
}

/** Most unsent pieces. */
const AHEAD_PIECES = 4096;
