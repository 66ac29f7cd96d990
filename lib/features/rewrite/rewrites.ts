/**
 * Rewrites of a site: the path and the query of a request become others before its route is chosen, once, by the first that
 * fits. The client does not see it, and neither redirects nor the access log do.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { matchPath, resolvedReadings } from "../../routing/match_path.ts";
import type { Feature } from "../feature.ts";
import { PathPattern } from "../path_pattern.ts";
import { PatternTable } from "../pattern_table.ts";
import { isChallenge } from "../redirect_to_https.ts";
import { parseSource, type RedirectSource } from "../redirects/redirect.ts";
import { type RewriteConfig, rewriteTables } from "./rewrite_schema.ts";
import { RewriteTarget, type RewrittenTarget } from "./rewrite_target.ts";

/** `[[sites.rewrite]]`. */
export const rewrite = {
  key: "rewrite",
  scopes: ["site"],
  // It is no part of a pipeline: `Filter.rewrite` comes before a route is chosen.
  order: 106,
  schema: rewriteTables,
  check(options, report) {
    options.forEach((option, index) => {
      try {
        new Rewrite(option);
      } catch (error) {
        const expected = 'a path without "." and "..", with placeholders that are known';
        report.error([index, "to"], { message: (error as Error).message, expected });
      }
      const first = options.findIndex(({ from }) => from === option.from);
      if (first === index) return;
      report.error([index, "from"], {
        message: `the rewrite is never used: sites.rewrite[${first}] is for the same requests`,
        expected: "another from",
      });
    });
  },
  compile: (options) => options.length === 0 ? undefined : new Rewrites(options),
} as const satisfies Feature<RewriteConfig[]>;

/** One rewrite. Immutable. */
class Rewrite {
  readonly pattern: PathPattern;
  readonly #source: RedirectSource;
  readonly #target: RewriteTarget;

  /** @throws {SyntaxError} When `from` or `to` is malformed. */
  constructor({ from, to }: RewriteConfig) {
    this.#source = parseSource(from);
    this.pattern = new PathPattern(this.#source.path);
    this.#target = new RewriteTarget(to, this.pattern.names);
  }

  /** What a request becomes; undefined if the rewrite is not for it. */
  target(exchange: Exchange, path: string): RewrittenTarget | undefined {
    const { scheme, host } = this.#source;
    if (host !== undefined && host !== exchange.head.host) return undefined;
    if (scheme !== undefined && scheme !== exchange.clientScheme) return undefined;
    const parts = this.pattern.match(path);
    return parts === undefined ? undefined : this.#target.of(exchange, parts);
  }
}

/** The rewrites of one site. */
class Rewrites implements Filter {
  readonly #list: readonly Rewrite[];
  readonly #table: PatternTable;

  constructor(options: readonly RewriteConfig[]) {
    this.#list = options.map((one) => new Rewrite(one));
    this.#table = new PatternTable(this.#list.map(({ pattern }) => pattern));
  }

  /**
   * Gives the exchange a head with another path. A path with dot segments that some server reads as one of a rewrite is
   * refused, as one of two routes is; so is a path that gets dot segments by the rewrite.
   */
  rewrite(exchange: Exchange): ExchangeFailure | undefined {
    const { head } = exchange;
    // "OPTIONS *" is about no path; the tokens of a certificate's order are where its authority looks for them.
    if ((head.path === "/*" && head.method === "OPTIONS") || isChallenge(head.path)) return undefined;
    const path = matchPath(head.path);
    if (path === undefined) return undefined; // refused where its route is chosen
    const target = this.#find(exchange, path);
    for (const reading of resolvedReadings(path)) {
      if (target !== undefined || this.#find(exchange, reading) !== undefined) return AMBIGUOUS;
    }
    if (target === undefined) return undefined;
    const rewritten = matchPath(target.path);
    if (rewritten === undefined || resolvedReadings(rewritten).size > 0) return AMBIGUOUS;
    exchange.head = { ...head, ...target, original: head };
    return undefined;
  }

  #find(exchange: Exchange, path: string): RewrittenTarget | undefined {
    for (const index of this.#table.candidates(path)) {
      const target = this.#list[index].target(exchange, path);
      if (target !== undefined) return target;
    }
    return undefined;
  }
}

const AMBIGUOUS = new ExchangeFailure(400, "The path has dot segments, and a rewrite is for it or makes them");
