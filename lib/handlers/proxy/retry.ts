/**
 * Retrying: what may be sent again, where, and when. A request is sent again only if no byte of it can have been acted on,
 * or its method is idempotent and its body is kept (RFC 9110, section 9.2.2). Made for an exchange with its first failure,
 * so that exchanges without one pay nothing.
 *
 * @module
 */

import type { TransportFailure } from "../../failure/failure.ts";
import { within } from "../../http/status_range.ts";
import type { Pool } from "../../upstream/pool.ts";
import type { Slot } from "../../upstream/upstream.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { statusOf } from "./forward_failure.ts";
import { RetryableResponse, retryAfterMs } from "./retryable_response.ts";
import type { ShouldRetry } from "./attempt.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";
import type { RequestBody } from "./request_body.ts";

/** What counts of an attempt that failed. */
export interface FailedAttempt {
  /** Where it was made. */
  readonly upstream: Upstream;
  /** Whether its connection had served before. */
  readonly reused: boolean;
}

/** The next attempts of one exchange. */
export class Retry {
  /** Whether only a new connection will do. */
  fresh = false;
  readonly #exchange: Exchange;
  readonly #pool: Pool;
  readonly #options: RetriesConfig;
  readonly #body: RequestBody | undefined;
  /** Upstreams that could not be reached in this round. */
  #unreachable: Upstream[] = [];
  /** Upstreams that had the request already. */
  #tried: Upstream[] = [];
  /** Attempts that failed for what this machine lacks. */
  #lacking = 0;
  #stale: Upstream | undefined;
  #sent = 0;
  #pauses = 0;
  #lastRound = false;
  /** Pause before the next attempt, wherever it goes. */
  #pauseMs = 0;
  /** How long those that had the request ask to be left alone. */
  #restMs = 0;

  /** Begins with the first failure, or before it where statuses are retried. */
  constructor(
    { exchange, pool, options, body }: {
      exchange: Exchange;
      pool: Pool;
      options: RetriesConfig;
      body: RequestBody | undefined;
    },
  ) {
    this.#exchange = exchange;
    this.#pool = pool;
    this.#options = options;
    this.#body = body;
  }

  /** Upstreams whose room is of no use now. */
  get avoid(): readonly Upstream[] {
    return this.#tried.length === 0 ? this.#unreachable : [...this.#unreachable, ...this.#tried];
  }

  /** A place for the next attempt: at the same upstream after a stale connection, else at another where there is one. */
  async acquire(): Promise<Slot | undefined> {
    const stale = this.#stale;
    this.#stale = undefined;
    if (stale !== undefined && !stale.full) {
      const slot = stale.acquire();
      if (slot !== undefined) return slot;
    }
    if (this.#pauseMs > 0 && !await this.#pause(this.#pauseMs)) return undefined;
    this.#pauseMs = 0;
    const slot = this.#pool.acquire(this.#exchange, this.avoid);
    if (slot !== undefined || this.#tried.length === 0) return slot;
    this.#tried = [];
    const restMs = Math.max(this.#backoff(), Math.min(this.#restMs, this.#patienceMs));
    return await this.#pause(restMs) ? this.#pool.acquire(this.#exchange, this.#unreachable) : undefined;
  }

  /** After no place was found: whether all are to be tried once more, now that some time has passed. */
  async anotherRound(): Promise<boolean> {
    const leftMs = this.#options.try_for - (performance.now() - this.#exchange.startMs);
    if (this.#lastRound || leftMs <= 0) return false;
    const backoffMs = this.#backoff();
    // The last round is at the limit, not before: the upstream may be back by then.
    this.#lastRound = backoffMs >= leftMs;
    const pauseMs = Math.min(backoffMs, leftMs);
    if (!await this.#pause(Math.max(pauseMs, 1))) return false;
    this.#unreachable = [];
    return true;
  }

  /** After a failed attempt: whether another one may be made. */
  allows(error: TransportFailure | RetryableResponse, { upstream, reused }: FailedAttempt): boolean {
    if (error instanceof RetryableResponse) {
      // The next attempt was counted, and the body rewound, when `shouldRetry` said so.
      this.#tried.push(upstream);
      // Too many requests are too many for all upstreams; one that is unavailable speaks for itself.
      if (error.status === 429) this.#pauseMs = error.retryAfterMs;
      else this.#restMs = error.retryAfterMs;
      return true;
    }
    switch (error.kind) {
      case "connect":
      case "connect_timeout":
        this.#unreachable.push(upstream);
        return true;
      case "shortage":
      case "dial_queue":
        // Another upstream may have a kept connection, or local ports left. With hundreds of them, a few tries tell enough.
        this.#unreachable.push(upstream);
        return ++this.#lacking < MOST_LACKING;
    }
    if (error.owner !== "upstream") return false;
    switch (error.kind) {
      case "closed_unused":
        // Not even a byte was sent: any request may go out on another connection.
        return this.#again(upstream);
      case "closed_unanswered":
        if (!this.#repeatable) return false;
        // A kept connection may have been closed by the upstream just before it was written to (RFC 9112, section 9.3.1).
        if (reused && !this.fresh) return this.#again(upstream, true);
        return this.#elsewhere(upstream);
      default:
        return this.#repeatable && within(statusOf(error), this.#options.retry_on) && this.#elsewhere(upstream);
    }
  }

  /** Whether another attempt is made in place of the response of `upstream`. Counts that attempt. */
  readonly shouldRetry: ShouldRetry = (head, upstream) => {
    if (!within(head.status, this.#options.retry_on) || !this.#repeatable) return false;
    // Too Many Requests without a time is a refusal; with a long one, waiting is the client's business.
    const afterMs = retryAfterMs(head);
    if (head.status === 429) {
      if (afterMs === undefined || afterMs > this.#patienceMs) return false;
    } else if ((afterMs ?? 0) > this.#patienceMs && !this.#othersThan(upstream)) {
      return false;
    }
    if (!this.#spend()) return false;
    // At once: what the client sends before the failure has arrived above could make the body too long to be kept.
    this.#body?.rewind();
    return true;
  };

  get #patienceMs(): number {
    return Math.max(1000, this.#options.max_backoff);
  }

  #othersThan(upstream: Upstream): boolean {
    const { avoid } = this;
    return this.#pool.upstreams.some((other) => other !== upstream && other.available && !avoid.includes(other));
  }

  #again(upstream: Upstream, rewinds = false): boolean {
    // Unless one who waited has taken the room that the attempt gave up.
    this.#stale = upstream;
    this.fresh = true;
    if (rewinds) this.#body?.rewind();
    return true;
  }

  #elsewhere(upstream: Upstream): boolean {
    if (!this.#spend()) return false;
    this.#tried.push(upstream);
    this.#body?.rewind();
    return true;
  }

  #spend(): boolean {
    if (this.#sent + 1 >= this.#options.attempts) return false;
    if (this.#pool.retryBudget?.withdraw() === false) return false;
    this.#sent++;
    this.#exchange.retries++;
    return true;
  }

  get #repeatable(): boolean {
    return IDEMPOTENT.has(this.#exchange.head.method) && (this.#body === undefined || this.#body.replayable);
  }

  // Full jitter: those who failed together do not come back together.
  #backoff(): number {
    const { backoff, max_backoff } = this.#options;
    const longestMs = Math.min(backoff * 2 ** Math.min(this.#pauses++, 20), max_backoff);
    return longestMs / 2 + Math.random() * longestMs / 2;
  }

  #pause(ms: number): Promise<boolean> {
    const { signal } = this.#exchange.client;
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (over: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        resolve(over);
      };
      const leave = () => settle(false);
      const timer = setTimeout(() => settle(true), ms);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}

/** Attempts of an exchange that may fail for what this machine lacks. */
const MOST_LACKING = 3;

/** Methods that may be done twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
