/**
 * Limits of the rate of requests and of those in flight, by client, user, header field, cookie or route: 429 with Retry-After for those
 * above, and the RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10) for all.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { AddressBlocks } from "../../http/address_block.ts";
import type { Log } from "../../log/log.ts";
import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";
import { OncePerSecond } from "../../state/once_per_second.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { BuildContext, Feature } from "../feature.ts";
import { InFlightStore, MOST_IN_FLIGHT } from "./in_flight_store.ts";
import { limitKey } from "./limit_key.ts";
import { parseRate, type RateLimitConfig, rateLimitKeys } from "./rate_limit_schema.ts";
import { MemoryRateStore, type RateStore, type RateVerdict } from "./rate_store.ts";

const LIMITS = ["rate", "in_flight"] as const;
const ACTIONS = ["refused", "logged"] as const;

/** The metrics `bws_rate_limit_…`. */
const RATE_LIMIT_METRICS = new MetricSet({
  exceeded: {
    ...{ kind: "counter", name: "bws_rate_limit_exceeded_total" },
    help: "Requests above a limit, by the limit and by what was done: refused, or logged in a dry run.",
    labels: [["limit", LIMITS], ["action", ACTIONS]],
  },
});

const { exceeded } = RATE_LIMIT_METRICS.metrics;

/** `rate_limit`. */
export const rateLimit = {
  key: "rate_limit",
  scopes: ["site", "route"],
  order: 320,
  // Users are known after authentication.
  orderOf: (options) => options?.key === "user" ? 430 : 320,
  metrics: RATE_LIMIT_METRICS,
  schema: rateLimitKeys.optional().describe("How many requests are let through."),
  check(options, report) {
    if (options === undefined || !options.enabled) return;
    const { rate, max_in_flight, burst } = options;
    if (rate === undefined && max_in_flight === undefined) {
      report.error([], { message: "rate_limit has no limit", expected: "rate, max_in_flight or both" });
    }
    if (rate === undefined && burst !== undefined) {
      report.error(["burst"], { message: "burst has no effect without rate", expected: "rate" });
    }
  },
  compile: (options, context) => options?.enabled === true ? compiled(options, context) : undefined,
} as const satisfies Feature<RateLimitConfig | undefined>;

function compiled(options: RateLimitConfig, { sharedState, site, route, log, worker, metrics }: BuildContext): Filter {
  const place = `${site.name ?? ""}${route === undefined ? "" : ` ${route.methods?.join() ?? ""} ${route.path}`}`;
  const { rate, burst, max_keys, max_in_flight, key } = options;
  // The rate is in the name: a new one begins with a new table. Requests in flight outlive a change of their limit.
  const rates = rate === undefined ? undefined : new MemoryRateStore(
    { ...parseRate(rate), burst: burstOf(rate, burst), maxKeys: max_keys },
    sharedState,
    `rate limit ${place} ${rate} ${burst ?? ""} ${max_keys} ${key}`,
  );
  const inFlight = max_in_flight === undefined
    ? undefined
    : new InFlightStore(max_keys, sharedState, { name: `${place} ${max_keys} ${key}`, worker });
  return new RateLimit(options, { rates, inFlight, log, metrics: metrics(RATE_LIMIT_METRICS) });
}

/** Requests of one second, at least 1. */
function burstOf(rate: string, burst: number | undefined): number {
  const { requests, periodMs } = parseRate(rate);
  return burst ?? Math.max(1, Math.ceil(requests * 1000 / periodMs));
}

/** Where a limit counts. */
export interface RateLimitParts {
  readonly rates?: RateStore | undefined;
  readonly inFlight?: InFlightStore | undefined;
  readonly log?: Log | undefined;
  readonly metrics?: ValuesOf<typeof RATE_LIMIT_METRICS> | undefined;
}

/** Limits the requests of one site or route. Built once for a generation. */
export class RateLimit implements Filter {
  readonly #parts: RateLimitParts;
  readonly #keyOf: (exchange: Exchange) => string;
  readonly #exempt: AddressBlocks;
  readonly #dryRun: boolean;
  readonly #maxInFlight: number;
  readonly #policy: string;
  readonly #logged = new OncePerSecond();

  constructor({ rate, burst, key, exempt, dry_run, max_in_flight = 0 }: RateLimitConfig, parts: RateLimitParts) {
    this.#parts = parts;
    this.#keyOf = limitKey(key);
    this.#exempt = new AddressBlocks(exempt);
    this.#dryRun = dry_run;
    this.#maxInFlight = max_in_flight;
    this.#policy = rate === undefined ? "" : policyOf(rate, burst);
  }

  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    if (exchange.dryRun !== undefined) return undefined;
    if (!this.#exempt.empty && this.#exempt.has(exchange.clientAddress)) return undefined;
    const key = this.#keyOf(exchange);
    const { rates, inFlight } = this.#parts;
    if (inFlight !== undefined && !this.#begins(exchange, inFlight, key)) {
      return this.#exceeded(exchange, "in_flight", ["retry-after", "1"]);
    }
    if (rates === undefined) return undefined;
    const verdict = rates.take(key, sharedTime.nowMs);
    if (verdict instanceof Promise) return verdict.then((late) => this.#judged(exchange, late));
    return this.#judged(exchange, verdict);
  }

  /** Counts the request until its exchange has ended. Returns whether it is below the limit. */
  #begins(exchange: Exchange, store: InFlightStore, key: string): boolean {
    const begun = store.begin(key, this.#maxInFlight);
    // A dry run counts what it lets through, too.
    const held = begun === null && this.#dryRun ? store.begin(key, MOST_IN_FLIGHT) : begun;
    if (held) exchange.hold(held);
    return begun !== null;
  }

  #judged(exchange: Exchange, { allowed, remaining, retryMs, resetMs }: RateVerdict): Outcome | undefined {
    if (this.#dryRun) return allowed ? undefined : this.#exceeded(exchange, "rate", []);
    const seconds = Math.ceil((allowed ? resetMs : retryMs) / 1000);
    const lines = ["ratelimit-policy", this.#policy, "ratelimit", `"default";r=${remaining};t=${seconds}`];
    if (!allowed) return this.#exceeded(exchange, "rate", ["retry-after", String(Math.max(1, seconds)), ...lines]);
    (exchange.ownLines ??= []).push(...lines);
    return undefined;
  }

  #exceeded(exchange: Exchange, limit: typeof LIMITS[number], lines: readonly string[]): Outcome | undefined {
    const { log, metrics } = this.#parts;
    metrics?.add(exceeded, 1, LIMITS.indexOf(limit) * ACTIONS.length + (this.#dryRun ? 1 : 0));
    if (!this.#dryRun) {
      exchange.unlogged = !this.#logged.allows();
      const what = limit === "rate" ? "The client is above rate_limit" : "The client has too many requests in flight";
      return new ExchangeFailure(429, what, { lines });
    }
    if (this.#logged.allows()) {
      const { clientAddress: client, site, path } = exchange;
      log?.log("warn", "a request is above rate_limit, which is a dry run", { client, site, path, limit });
    }
    return undefined;
  }
}

/** The window is the time in which a bucket fills. */
function policyOf(rate: string, ownBurst: number | undefined): string {
  const { requests, periodMs } = parseRate(rate);
  const burst = burstOf(rate, ownBurst);
  return `"default";q=${burst};w=${Math.max(1, Math.round(burst * periodMs / requests / 1000))}`;
}
