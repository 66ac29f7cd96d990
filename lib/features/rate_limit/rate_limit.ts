/**
 * Limits of the rate of requests, by client, header field, cookie or route: 429 with Retry-After for those above, and the
 * RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10) for all.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { AddressBlocks } from "../../http/address_block.ts";
import { headerValue, headerValues } from "../../http/header_lines.ts";
import { addressGroups, isMapped } from "../../http/ip_address.ts";
import type { Log } from "../../log/log.ts";
import { OncePerSecond } from "../../state/once_per_second.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { Feature } from "../feature.ts";
import { parseRate, type RateLimitConfig, rateLimitKeys } from "./rate_limit_schema.ts";
import { MemoryRateStore, type RateStore, type RateVerdict } from "./rate_store.ts";

/** `rate_limit`. */
export const rateLimit = {
  key: "rate_limit",
  scopes: ["site", "route"],
  order: 320,
  schema: rateLimitKeys.optional().describe("How many requests are let through."),
  compile: (options, { sharedState, site, route, log }) => {
    if (options?.enabled !== true) return undefined;
    const place = route === undefined ? "" : ` ${route.methods?.join() ?? ""} ${route.path}`;
    // The rate is in the name: a new one begins with a new table.
    const { rate, burst, max_keys, key } = options;
    const name = `rate limit ${site.name ?? ""}${place} ${rate} ${burst ?? ""} ${max_keys} ${key}`;
    const limit = { ...parseRate(rate), burst: burstOf(options), maxKeys: max_keys };
    return new RateLimit(options, new MemoryRateStore(limit, sharedState, name), log);
  },
} as const satisfies Feature<RateLimitConfig | undefined>;

/** Requests of one second, at least 1. */
function burstOf({ rate, burst }: RateLimitConfig): number {
  const { requests, periodMs } = parseRate(rate);
  return burst ?? Math.max(1, Math.ceil(requests * 1000 / periodMs));
}

/** Limits the requests of one site or route. Built once for a generation. */
export class RateLimit implements Filter {
  readonly #store: RateStore;
  readonly #keyOf: (exchange: Exchange) => string;
  readonly #exempt: AddressBlocks;
  readonly #dryRun: boolean;
  readonly #policy: string;
  readonly #log: Log | undefined;
  readonly #logged = new OncePerSecond();

  constructor(options: RateLimitConfig, store: RateStore, log?: Log) {
    this.#store = store;
    this.#keyOf = keyMaker(options.key);
    this.#exempt = new AddressBlocks(options.exempt);
    this.#dryRun = options.dry_run;
    const { requests, periodMs } = parseRate(options.rate);
    const burst = burstOf(options);
    // The window is the time in which a bucket fills.
    this.#policy = `"default";q=${burst};w=${Math.max(1, Math.round(burst * periodMs / requests / 1000))}`;
    this.#log = log;
  }

  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    if (exchange.dryRun !== undefined) return undefined;
    if (!this.#exempt.empty && this.#exempt.has(exchange.clientAddress)) return undefined;
    const verdict = this.#store.take(this.#keyOf(exchange), sharedTime.nowMs);
    if (verdict instanceof Promise) return verdict.then((late) => this.#judged(exchange, late));
    return this.#judged(exchange, verdict);
  }

  #judged(exchange: Exchange, { allowed, remaining, retryMs, resetMs }: RateVerdict): Outcome | undefined {
    if (this.#dryRun) {
      if (!allowed && this.#logged.allows()) {
        const { clientAddress, site, path } = exchange;
        this.#log?.log("warn", "a request is above rate_limit, which is a dry run", {
          client: clientAddress,
          site,
          path,
        });
      }
      return undefined;
    }
    const seconds = Math.ceil((allowed ? resetMs : retryMs) / 1000);
    const lines = ["ratelimit-policy", this.#policy, "ratelimit", `"default";r=${remaining};t=${seconds}`];
    if (allowed) {
      (exchange.ownLines ??= []).push(...lines);
      return undefined;
    }
    exchange.unlogged = !this.#logged.allows();
    return new ExchangeFailure(429, "The client is above rate_limit", {
      lines: ["retry-after", String(Math.max(1, seconds)), ...lines],
    });
  }
}

function keyMaker(key: string): (exchange: Exchange) => string {
  if (key === "address") return ({ clientAddress }) => addressKey(clientAddress);
  if (key === "route") return () => "";
  const [kind, name] = key.split(":");
  const valueOf = kind === "header" ? headerOf(name) : cookieOf(name);
  // Of different kinds, so that no value is another client's address.
  return ({ head, clientAddress }) => {
    const value = valueOf(head.headers);
    return value === undefined ? addressKey(clientAddress) : `=${value}`;
  };
}

/** The address; of IPv6 the first 64 bits, which one client has for itself. */
function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const groups = addressGroups(address);
  if (groups === undefined || isMapped(groups)) return address;
  return `${groups[0]}:${groups[1]}:${groups[2]}:${groups[3]}`;
}

function headerOf(name: string): (headers: readonly string[]) => string | undefined {
  const lowerName = name.toLowerCase();
  return (headers) => headerValue(headers, lowerName);
}

function cookieOf(name: string): (headers: readonly string[]) => string | undefined {
  const start = `${name}=`;
  return (headers) => {
    for (const line of headerValues(headers, "cookie")) {
      for (const pair of line.split(";")) {
        const text = pair.trim();
        if (text.startsWith(start)) return text.slice(start.length);
      }
    }
    return undefined;
  };
}
