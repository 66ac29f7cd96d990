/**
 * The body of a response on its way to the client, which counts its bytes and ends its exchange.
 *
 * @module
 */

import { TransportFailure } from "../failure/failure.ts";
import type { BodySink, BodySource, Ownership } from "../http/body.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { Exchange, ExchangeDelivery } from "./exchange.ts";

/** How long a client may take nothing of a body. */
export interface StallWatch {
  /** The clock that the deadline goes by. */
  readonly clock: CoarseClock;
  /** Longest time that the client takes nothing, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Counts the bytes of a body, and tells the delivery of its end: complete, broken off, or not taken by the client. Owned by
 * whoever takes the body.
 */
export class CountedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #exchange: Exchange;
  readonly #delivery: ExchangeDelivery;
  readonly #watch: StallWatch | undefined;
  #sink: BodySink | undefined;
  /** 0 while the source is waited for. */
  #deadlineMs = 0;
  #over = false;
  /** What it failed with before it was started. */
  #failure: unknown;

  /**
   * Takes `source` over.
   *
   * @param watch undefined where the source looks after a client that takes nothing.
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

  /** As the contract says. */
  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#over) sink.fail(this.#failure);
    else this.#source.start(this);
  }

  /** As the contract says. */
  pull(): void {
    this.#deadlineMs = 0;
    this.#source.pull();
  }

  /** The client wants no more. */
  cancel(reason: unknown): void {
    if (this.#over) return;
    this.#source.cancel(reason);
    this.#exchange.status = 499;
    this.#exchange.failed("The client left before it had the whole answer", "client");
    this.#end();
  }

  /** As the contract says. */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#exchange.sent(bytes.length);
    if (this.#watch !== undefined) this.#deadlineMs = this.#watch.clock.nowMs + this.#watch.timeoutMs;
    this.#sink?.piece(bytes, ownership);
  }

  /** As the contract says. */
  end(): void {
    if (this.#over) return;
    this.#sink?.end();
    this.#end();
  }

  /** As the contract says. A failure of the client's, such as its absence, is why it did not get the body: 499. */
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

  // A half response is never passed off as whole: the failure makes the listener cut the connection.
  #cut(failure?: TransportFailure): void {
    const { requestId, cause } = this.#exchange;
    this.#failure = failure ?? `bws: ${requestId}: answer cut short: ${cause}`;
    this.#sink?.fail(this.#failure);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#watch?.clock.unwatch(this);
    this.#delivery.ended(this.#exchange);
  }
}
