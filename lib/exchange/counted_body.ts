/**
 * The body of a response that is sent to the client: it counts its bytes and ends its exchange.
 *
 * @module
 */

import { TransportFailure } from "../failure/failure.ts";
import type { BodySink, BodySource, FileSink, Ownership } from "../http/body.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { Exchange, ExchangeDelivery } from "./exchange.ts";

/** How long a client may read nothing of a body. */
export interface StallWatch {
  /** The clock of the deadline. */
  readonly clock: CoarseClock;
  /** Longest time in which the client reads nothing, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Counts the bytes of a body and reports its end to the delivery: complete, broken off, or cancelled by the client.
 * Owned by the reader of the body.
 */
export class CountedBody implements BodySource, BodySink, FileSink {
  readonly #source: BodySource;
  readonly #exchange: Exchange;
  readonly #delivery: ExchangeDelivery;
  readonly #watch: StallWatch | undefined;
  #sink: BodySink | undefined;
  /** 0 while the source is awaited. */
  #deadlineMs = 0;
  #over = false;
  /** The failure, if the body broke off before it was started. */
  #failure: unknown;

  /**
   * Takes over `source`.
   *
   * @param watch undefined where the source itself limits how long the client reads nothing.
   */
  constructor(source: BodySource, exchange: Exchange, delivery: ExchangeDelivery, watch: StallWatch | undefined) {
    this.#source = source;
    this.#exchange = exchange;
    this.#delivery = delivery;
    this.#watch = watch;
    if (watch === undefined) return;
    this.#deadlineMs = watch.clock.nowMs + watch.timeoutMs;
    watch.clock.watch(this);
  }

  /** Begins to deliver to `sink`. */
  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#over) sink.fail(this.#failure);
    else this.#source.start(this);
  }

  /** Asks for the next piece. */
  pull(): void {
    this.#deadlineMs = 0;
    this.#source.pull();
  }

  /** The client cancelled the body. */
  cancel(reason: unknown): void {
    if (this.#over) return;
    this.#source.cancel(reason);
    this.#exchange.status = 499;
    this.#exchange.failed("The client left before it had the whole response", "client");
    this.#end();
  }

  /** Counts a piece and passes it on. */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#exchange.sent(bytes.length);
    this.#awaitClient();
    this.#sink?.piece(bytes, ownership);
  }

  /** Passes ranges of files on, if the sink takes them. */
  get fileSink(): FileSink | undefined {
    return this.#sink?.fileSink === undefined ? undefined : this;
  }

  /** Passes a range of a file on. Its bytes are counted when they are sent. */
  fileRange(descriptor: number, start: number, end: number): void {
    this.#awaitClient();
    this.#sink?.fileSink?.fileRange(descriptor, start, end);
  }

  /** Counts bytes of a file that were sent. */
  fileTaken(bytes: number): void {
    this.#exchange.sent(bytes);
    this.#awaitClient();
  }

  /** Asks for pieces in place of the rest of a range. */
  fileRefused(position: number): void {
    this.#deadlineMs = 0;
    this.#source.fileRefused?.(position);
  }

  /** The body is complete. */
  end(trailers?: readonly string[]): void {
    if (this.#over) return;
    this.#sink?.end(trailers);
    this.#end();
  }

  /** The body broke off. A failure that the client caused, such as an abort, is logged with status 499. */
  fail(reason: unknown): void {
    if (this.#over) return;
    const known = reason instanceof TransportFailure;
    this.#exchange.failed(reason instanceof Error ? reason.message : String(reason), known ? reason.owner : "proxy");
    if (known && reason.owner === "client") this.#exchange.status = 499;
    this.#cut(known && reason.kind === "client_left" ? reason : undefined);
  }

  /** Enforces the deadline. */
  tick(nowMs: number): void {
    if (this.#watch === undefined || this.#deadlineMs === 0 || nowMs <= this.#deadlineMs) return;
    const reason = `The client took nothing for ${this.#watch.timeoutMs} ms`;
    this.#exchange.failed(reason, "client");
    this.#exchange.status = 499;
    this.#source.cancel(reason);
    this.#cut();
  }

  #awaitClient(): void {
    if (this.#watch !== undefined) this.#deadlineMs = this.#watch.clock.nowMs + this.#watch.timeoutMs;
  }

  // The failure makes the listener close the connection, so that the client does not take the response for complete.
  #cut(failure?: TransportFailure): void {
    const { requestId, cause } = this.#exchange;
    this.#failure = failure ?? `bws: ${requestId}: response cut short: ${cause}`;
    this.#sink?.fail(this.#failure);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#watch?.clock.unwatch(this);
    this.#delivery.ended(this.#exchange);
  }
}
