/**
 * A body that ends its exchange when it ends itself.
 *
 * @module
 */

import type { BodySink, BodySource, Ownership } from "../http/body.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { Exchange } from "./exchange.ts";

/** Who looks after a body whose client takes nothing. */
export interface StallWatch {
  /** The clock that the deadline goes by. */
  readonly clock: CoarseClock;
  /** Longest time that the client takes nothing, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Counts the bytes of a body into its exchange, which ends with it, or when the client takes nothing for too long. Owned by
 * whoever takes the body.
 */
export class CountedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #exchange: Exchange;
  readonly #watch: StallWatch;
  #sink: BodySink | undefined;
  /** 0 while the source is waited for. */
  #deadlineMs: number;
  #over = false;

  /** Takes `source` over. */
  constructor(source: BodySource, exchange: Exchange, watch: StallWatch) {
    this.#source = source;
    this.#exchange = exchange;
    this.#watch = watch;
    this.#deadlineMs = watch.clock.nowMs + watch.timeoutMs;
    watch.clock.watch(this);
  }

  /** As the contract says. */
  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#over) sink.fail(this.#exchange.cause);
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
    this.#exchange.status = 499;
    this.#exchange.failed("The client left before it had the whole answer", "client");
    this.#end();
    this.#source.cancel(reason);
  }

  /** As the contract says. */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#exchange.sent(bytes.length);
    this.#deadlineMs = this.#watch.clock.nowMs + this.#watch.timeoutMs;
    this.#sink?.piece(bytes, ownership);
  }

  /** As the contract says. */
  end(): void {
    if (this.#over) return;
    this.#sink?.end();
    this.#end();
  }

  /** As the contract says. */
  fail(reason: unknown): void {
    if (this.#over) return;
    this.#exchange.failed(reason instanceof Error ? reason.message : String(reason), "proxy");
    this.#cut();
  }

  /** Enforces the deadline. */
  tick(nowMs: number): void {
    if (this.#deadlineMs === 0 || nowMs <= this.#deadlineMs) return;
    const reason = `The client took nothing for ${this.#watch.timeoutMs} ms`;
    this.#exchange.failed(reason, "client");
    this.#exchange.status = 499;
    this.#source.cancel(reason);
    this.#cut();
  }

  #cut(): void {
    const { requestId, cause } = this.#exchange;
    this.#sink?.fail(`bws: ${requestId}: answer cut short: ${cause}`);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#watch.clock.unwatch(this);
    this.#exchange.end();
  }
}
