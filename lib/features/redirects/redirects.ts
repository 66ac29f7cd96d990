/**
 * Redirects of a site: old paths, another host, https. They come before all other features, so that a redirected request
 * costs nothing else.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";
import { matchPath } from "../../routing/match_path.ts";
import type { Feature } from "../feature.ts";
import { isChallenge } from "../redirect_to_https.ts";
import { Redirect } from "./redirect.ts";
import { loopOf } from "./redirect_loop.ts";
import { type RedirectConfig, redirectsSchema } from "./redirects_schema.ts";

/** The metrics `bws_redirects_…`. */
const REDIRECTS_METRICS = new MetricSet({
  redirected: {
    kind: "counter",
    name: "bws_redirects_total",
    help: "Requests that an entry of redirects responded to.",
  },
});

type RedirectsMetrics = ValuesOf<typeof REDIRECTS_METRICS>;

/** `[[sites.redirects]]`. */
export const redirects = {
  key: "redirects",
  scopes: ["site"],
  order: 105,
  metrics: REDIRECTS_METRICS,
  schema: redirectsSchema,
  check(options, report) {
    const built = options.map((options, index) => {
      try {
        return new Redirect(options);
      } catch (error) {
        report.error([index, "to"], { message: (error as Error).message, expected: "a placeholder that is known" });
        return undefined;
      }
    });
    if (built.includes(undefined)) return;
    const table = new Redirects(built as Redirect[]);
    built.forEach((_, index) => {
      const loop = loopOf(table, index);
      if (loop === undefined) return;
      report.error([index], {
        message: `the redirect never ends: ${loop.join(" → ")}`,
        expected: "a target that is not redirected",
      });
    });
  },
  compile: (options, { metrics }) => {
    if (options.length === 0) return undefined;
    return new Redirects(options.map((one) => new Redirect(one)), metrics(REDIRECTS_METRICS));
  },
} as const satisfies Feature<RedirectConfig[]>;

/** The redirects of one site. */
export class Redirects implements Filter {
  /** In their order. */
  readonly list: readonly Redirect[];
  /** Those for one path, by the path: the index of the first. */
  readonly #exact = new Map<string, number[]>();
  /** Indexes of all others. */
  readonly #patterns: number[] = [];
  readonly #metrics: RedirectsMetrics | undefined;

  constructor(list: readonly Redirect[], metrics?: RedirectsMetrics) {
    this.#metrics = metrics;
    this.list = list;
    list.forEach(({ pattern: { exact } }, index) => {
      if (exact === undefined) this.#patterns.push(index);
      else this.#exact.set(exact, [...this.#exact.get(exact) ?? [], index]);
    });
  }

  request(exchange: Exchange): Outcome | undefined {
    const { path } = exchange;
    if (isChallenge(path)) return undefined;
    const found = this.find(exchange);
    if (found === undefined) return undefined;
    if (exchange.dryRun === undefined) this.#metrics?.add(REDIRECTS_METRICS.metrics.redirected);
    return { status: found.redirect.status, headers: ["location", found.location], body: null };
  }

  /** The first redirect that is for a request, and its location. */
  find(exchange: Exchange): { redirect: Redirect; location: string } | undefined {
    const path = matchPath(exchange.path);
    if (path === undefined) return undefined;
    const exact = this.#exact.get(path);
    const candidates = exact === undefined ? this.#patterns : [...exact, ...this.#patterns].sort((a, b) => a - b);
    for (const index of candidates) {
      const redirect = this.list[index];
      const location = redirect.location(exchange, path);
      if (location !== undefined) return { redirect, location };
    }
    return undefined;
  }
}
