/**
 * The contract of a feature: its table in the config, and the filter that is built from it. A feature is one file or
 * folder here, and one line in the list of features.
 *
 * @module
 */

import type { z } from "zod";
import type { ProblemDetails } from "../config/problem_list.ts";
import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import type { RouteConfig } from "../handlers/proxy/config/route_schema.ts";
import type { LoggingConfig, ServerConfig } from "../process/server_schema.ts";
import type { Filter } from "../exchange/filter.ts";
import type { VirtualHostConfig } from "../listener/virtual_host_schema.ts";
import type { Log } from "../log/log.ts";
import type { ServiceClient, ServiceOptions } from "../upstream/service_client.ts";
import type { RequestHead } from "../http/message.ts";
import type { MetricDeclarations, MetricSet, SnapshotOf } from "../metrics/metric_set.ts";
import type { MetricValues } from "../metrics/metric_values.ts";
import type { MethodMismatch, RouteMatch } from "../routing/route.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { SharedState } from "../state/shared_state.ts";
import type { WorkerPlace } from "../state/worker_place.ts";

/** Takes the problems of a feature's keys. */
export interface Report {
  /**
   * Reports an error: the config is refused.
   *
   * @param path Of the key, below the feature's table; `[]` for the table itself.
   */
  error(path: readonly (string | number)[], details: ProblemDetails): void;
  /** Reports a warning: the config is accepted. */
  warning(path: readonly (string | number)[], details: ProblemDetails): void;
}

/** What a feature is built from, besides its options. */
export interface BuildContext {
  /** `[server]` of the config. */
  readonly server: ServerConfig;
  /** `[logging]` of the config. */
  readonly logging: LoggingConfig;
  /** The keys that select its site. */
  readonly site: VirtualHostConfig;
  /** `[sites.proxy]` of the site, with the route's own settings; undefined where there is none. */
  readonly proxy: ProxyConfig | undefined;
  /** The route; undefined for the requests of the site that match no route. */
  readonly route: RouteConfig | undefined;
  /**
   * The route that a request matches, by its path in match form and its method. For filters at work: the routes are
   * built after the filters.
   */
  readonly matchRoute: (
    path: string,
    method: string,
  ) => RouteMatch<{ readonly index: number; readonly path: string }> | MethodMismatch | undefined;
  /** Whether a request is for one of the site's own endpoints (`internal_api`). For filters at work. */
  readonly isEndpoint: (head: RequestHead) => boolean;
  /** Port on which clients reach the site's hosts by https. */
  readonly httpsPort: number;
  readonly log: Log | undefined;
  /** Random text that identifies this process, the same in all its workers. Not a secret. */
  readonly mark: string;
  /**
   * Opens a client for a service that the feature asks. The generation closes it.
   *
   * @throws {Error} When the file of certificates cannot be read.
   */
  openService(options: ServiceOptions): ServiceClient;
  /** Delays the start of the generation until `prepared` has settled, which takes a bounded time. */
  awaitBefore(prepared: Promise<void>): void;
  /** The clock of deadlines. */
  readonly clock: CoarseClock;
  /** Fields that workers share and that outlive a generation. */
  readonly sharedState: SharedState;
  /** This worker among those that share the fields. */
  readonly worker: WorkerPlace;
  /**
   * The metrics of the feature for this table, which outlive a generation; undefined where none are kept.
   *
   * @param set {@linkcode Feature.metrics}.
   */
  metrics<D extends MetricDeclarations>(set: MetricSet<D>): MetricValues<SnapshotOf<D>> | undefined;
}

/** One feature. `Options` is the output of its schema: no other interface repeats it, and no default is given twice. */
export interface Feature<Options> {
  /** Name of its table in the config, such as `compression`. */
  readonly key: string;
  /** Where the table is allowed. That of a route replaces its site's. */
  readonly scopes: readonly ("site" | "route")[];
  /**
   * Keys of a route, besides its own table, that change the feature's effect there.
   *
   * @default {[]}
   */
  readonly routeKeys?: readonly string[];
  /**
   * Keys of its table that name files. Their paths are made absolute, and it is checked that they can be read.
   *
   * @default {[]}
   */
  readonly files?: readonly string[];
  /**
   * Keys of its table that name folders, as {@linkcode files} names files.
   *
   * @default {[]}
   */
  readonly folders?: readonly string[];
  /** Position in the pipeline: a request passes the smallest number first. */
  readonly order: number;
  /** Its position with these options, where they change it. */
  orderOf?(options: Options): number;
  /** Its metrics, whose samples are labelled with site and route; the route is empty for the table of a site. */
  // deno-lint-ignore no-explicit-any
  readonly metrics?: MetricSet<any>;
  /** Its keys, with defaults, bounds and documentation. */
  readonly schema: z.ZodType<Options>;
  /** Checks rules that involve several keys. */
  check?(options: Options, report: Report): void;
  /**
   * Builds the filter: once for the table of a site, shared by all routes without their own table, and once for the
   * table of each route that has one.
   *
   * @returns undefined where these options have no effect: then no request has a cost.
   * @throws {Error} When a file that the options name cannot be read.
   */
  compile(options: Options, context: BuildContext): Filter | undefined;
}
