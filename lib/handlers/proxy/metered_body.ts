/**
 * A request's body whose bytes are counted.
 *
 * @module
 */

import type { ExchangeMetrics } from "../../exchange/exchange.ts";
import { RequestBody, type RequestBodyLimits } from "./request_body.ts";

/** A body whose bytes are counted as they go upstream: each once, however often it is sent. */
export class MeteredBody extends RequestBody {
  readonly #metrics: ExchangeMetrics;
  #at = 0;
  #countedBytes = 0;

  /** Counts in `metrics`. */
  constructor(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    length: number,
    { metrics, ...limits }: RequestBodyLimits & { metrics: ExchangeMetrics },
    owned = false,
  ) {
    super(stream, length, limits, owned);
    this.#metrics = metrics;
  }

  /** As in a body that is not counted. */
  override frame(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#at += chunk.length;
    this.#metrics.received(this.#at - this.#countedBytes);
    this.#countedBytes = Math.max(this.#countedBytes, this.#at);
    return super.frame(chunk);
  }

  /** As in a body that is not counted. */
  override rewind(): void {
    super.rewind();
    this.#at = 0;
  }

  /** As in a body that is not counted. */
  override unread(first: Uint8Array<ArrayBuffer> | undefined): void {
    super.unread(first);
    this.#at = 0;
  }
}
