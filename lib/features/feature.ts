/**
 * The contract of a feature: its table in the config, and what becomes of it. A feature is one file or folder here, and
 * one line in the list of all.
 *
 * @module
 */

import type { z } from "zod";
import type { ProblemDetails } from "../config/problem_list.ts";
import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import type { RouteConfig } from "../handlers/proxy/config/route_schema.ts";
import type { ServerConfig } from "../process/server_schema.ts";
import type { Filter } from "../exchange/filter.ts";
import type { VirtualHostConfig } from "../listener/virtual_host_schema.ts";
import type { Log } from "../log/log.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { SharedState } from "../state/shared_state.ts";

/** Told of what is wrong with the keys of a feature. */
export interface Report {
  /**
   * The config is refused.
   *
   * @param path Of the key, below the feature's table; `[]` for the table itself.
   */
  error(path: readonly (string | number)[], details: ProblemDetails): void;
  /** The config is taken, with a warning. */
  warning(path: readonly (string | number)[], details: ProblemDetails): void;
}

/** What a feature is built for, and from, besides its own options. */
export interface BuildContext {
  /** `[server]` of the config. */
  readonly server: ServerConfig;
  /** The keys by which its site is found; what else a site has is the business of other parts. */
  readonly site: VirtualHostConfig;
  /** `[sites.proxy]` of the site, if it has one; for a route as it is there. */
  readonly proxy: ProxyConfig | undefined;
  /** The route; undefined for the requests of the site that no route takes. */
  readonly route: RouteConfig | undefined;
  /** Where log lines go; undefined without a log. */
  readonly log: Log | undefined;
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Numbers that workers share, and that outlive a generation. */
  readonly sharedState: SharedState;
}

/** One feature. `Options` is what its schema gives: no other interface repeats it, and no default stands twice. */
export interface Feature<Options> {
  /** Name of its table in the config, such as `compression`. */
  readonly key: string;
  /** Where the table may stand. That of a route takes the place of its site's. */
  readonly scopes: readonly ("site" | "route")[];
  /**
   * Keys of a route, besides its own table, that change what it does there.
   *
   * @default {[]}
   */
  readonly routeKeys?: readonly string[];
  /** Its place in the pipeline: a request passes the smallest number first. */
  readonly order: number;
  /** Its keys, with defaults, bounds and documentation. */
  readonly schema: z.ZodType<Options>;
  /** Checks what several keys decide together. */
  check?(options: Options, report: Report): void;
  /**
   * Builds its filter: for the table of a site, whose filter all routes share that have no table of their own; and for the
   * table of each route that has one.
   *
   * @returns undefined where these options ask for nothing: then no request pays for it.
   * @throws {Error} When a file that the options name cannot be read.
   */
  compile(options: Options, context: BuildContext): Filter | undefined;
}
