/**
 * Retries: whether a request is sent again, to which upstream, and when. A request is sent again only if the upstream
 * cannot have processed any of it, or if its method is idempotent and its body is kept (RFC 9110, section 9.2.2).
 * Created at the first failure of an exchange, so that exchanges without a failure have no cost.
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
import type { ShouldRetry } from "./attempt_listener.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";
import type { RequestBody } from "./request_body.ts";

/** What the decision needs to know of a failed attempt. */
export interface FailedAttempt {
  readonly upstream: Upstream;
  /** Whether its connection was used before. */
  readonly reused: boolean;
}

/** The next attempts of one exchange. */
export class Retry {
  /** Whether the next attempt requires a new connection. */
  fresh = false;
  readonly #exchange: Exchange;
  readonly #pool: Pool;
  readonly #options: RetriesConfig;
  readonly #body: RequestBody | undefined;
  /** Upstreams that could not be reached in this round. */
  #unreachable: Upstream[] = [];
  /** Upstreams that the request was already sent to. */
  #tried: Upstream[] = [];
  /** Attempts that failed because this machine ran out of a resource. */
  #shortages = 0;
  #stale: Upstream | undefined;
  #sent = 0;
  #pauses = 0;
  #lastRound = false;
  /** Pause before the next attempt, at any upstream. */
  #pauseMs = 0;
  /** Pause before an upstream in `#tried` is used again, from its Retry-After. */
  #restMs = 0;

  /** Created at the first failure, or before it where statuses are retried. */
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

  /** Upstreams that the next attempt must not use. */
  get avoid(): readonly Upstream[] {
    return this.#tried.length === 0 ? this.#unreachable : [...this.#unreachable, ...this.#tried];
  }

  /**
   * A slot for the next attempt: at the same upstream after a stale connection, else at another if one is available.
   */
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
    const restMs = Math.max(this.#backoff(), Math.min(this.#restMs, this.#longestRetryAfterMs));
    return await this.#pause(restMs) ? this.#pool.acquire(this.#exchange, this.#unreachable) : undefined;
  }

  /** Called when no slot was available: waits, and returns whether all upstreams are to be tried once more. */
  async anotherRound(): Promise<boolean> {
    const leftMs = this.#options.try_for - (performance.now() - this.#exchange.startMs);
    if (this.#lastRound || leftMs <= 0) return false;
    const backoffMs = this.#backoff();
    // The last round begins at the limit of `try_for`: the upstream may have recovered by then.
    this.#lastRound = backoffMs >= leftMs;
    const pauseMs = Math.min(backoffMs, leftMs);
    if (!await this.#pause(Math.max(pauseMs, 1))) return false;
    this.#unreachable = [];
    return true;
  }

  /** Whether another attempt may follow a failed one. */
  allows(error: TransportFailure | RetryableResponse, { upstream, reused }: FailedAttempt): boolean {
    if (error instanceof RetryableResponse) {
      // `shouldRetry` has already counted the next attempt and rewound the body.
      this.#tried.push(upstream);
      // 429 usually holds for all upstreams of a pool; any other status for the one that sent it.
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
        // Another upstream may have an idle connection, or local ports left. In a pool of hundreds a few tries are
        // enough.
        this.#unreachable.push(upstream);
        return ++this.#shortages < MOST_SHORTAGES;
    }
    if (error.owner !== "upstream") return false;
    switch (error.kind) {
      case "closed_unused":
        // No byte was sent: any request may be sent on another connection.
        return this.#again(upstream);
      case "refused":
        // The request was not acted on: any method may be sent again, if its body is still there.
        return this.#replayable && this.#afterRefusal(upstream);
      case "closed_unanswered":
        if (!this.#repeatable) return false;
        // The upstream may have closed an idle connection just before the request was sent (RFC 9112, section 9.3.1).
        if (reused && !this.fresh) return this.#again(upstream, true);
        return this.#elsewhere(upstream);
      default:
        return this.#repeatable && within(statusOf(error), this.#options.retry_on) && this.#elsewhere(upstream);
    }
  }

  /** Whether another attempt replaces the response of `upstream`. Counts that attempt. */
  readonly shouldRetry: ShouldRetry = (head, upstream) => {
    if (!within(head.status, this.#options.retry_on) || !this.#repeatable) return false;
    // 429 without Retry-After, or with a long one, is passed on: the client decides when to try again.
    const afterMs = retryAfterMs(head);
    if (head.status === 429) {
      if (afterMs === undefined || afterMs > this.#longestRetryAfterMs) return false;
    } else if ((afterMs ?? 0) > this.#longestRetryAfterMs && !this.#othersThan(upstream)) {
      return false;
    }
    if (!this.#spend()) return false;
    // Immediately: pieces that arrive before the failure is handled could make the body too long to be kept.
    this.#body?.rewind();
    return true;
  };

  get #longestRetryAfterMs(): number {
    return Math.max(1000, this.#options.max_backoff);
  }

  #othersThan(upstream: Upstream): boolean {
    const { avoid } = this;
    return this.#pool.upstreams.some((other) => other !== upstream && other.available && !avoid.includes(other));
  }

  #again(upstream: Upstream, rewinds = false): boolean {
    // A queued request may have taken the slot that the failed attempt released.
    this.#stale = upstream;
    this.fresh = true;
    if (rewinds) this.#body?.rewind();
    return true;
  }

  // The upstream may have ended a connection that was in use; one that refuses once more has no room.
  #afterRefusal(upstream: Upstream): boolean {
    if (!this.fresh) return this.#again(upstream, true);
    this.#unreachable.push(upstream);
    this.#body?.rewind();
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
    return idempotent(this.#exchange.head.method) && this.#replayable;
  }

  get #replayable(): boolean {
    return this.#body === undefined || this.#body.replayable;
  }

  // Full jitter: requests that failed at the same time are not retried at the same time.
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

/** Attempts of an exchange that may fail because this machine ran out of a resource. */
const MOST_SHORTAGES = 3;

/** Whether a request that an upstream may have processed can be sent again (RFC 9110, section 9.2.2). */
export function idempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
