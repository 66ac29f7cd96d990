/**
 * BWS inside another program: a config becomes a plain `(request, info?) => Promise<Response>`.
 *
 * @module
 */

import { resolveConfig, type ResolvedConfig } from "../generation/config/resolve_config.ts";
import type { ConfigInput } from "../generation/config/config_types.ts";
import { unusedSettings } from "./unused_settings.ts";
import { Log, openSink } from "../log/log.ts";
import { compileSites } from "../routing/site_table.ts";
import { respond } from "../listener/runtime/adapter.ts";
import { type Middleware, respondThrough } from "../listener/runtime/middleware.ts";
import type { ConnectionInfo, Entry } from "../listener/runtime/request_reader.ts";
import { Generation } from "../generation/generation.ts";
import type { OwnPolicyFactory } from "../generation/pools/pools.ts";
import { warnOfConfig } from "../generation/config_warnings.ts";

/** How a handler is made. */
export interface CreateHandlerOptions {
  /**
   * Balancing policies besides the built-in ones, by the name that `load_balancing.method` uses.
   *
   * @default {{}}
   */
  policies?: Readonly<Record<string, OwnPolicyFactory>>;
  /**
   * What sees each request first, the outermost first. Its responses get the request id and `[sites.headers]` where they
   * have no field of that name, and are in the log and the metrics like any other. What it throws is a 500.
   *
   * @default {[]}
   */
  middleware?: readonly Middleware[];
  /**
   * Whether a log is written, as `[logging]` says: to standard output unless it has an `output`.
   *
   * @default {false}
   */
  log?: boolean;
  /**
   * Folder that relative paths of the config start from.
   *
   * @default {Deno.cwd()}
   */
  baseDir?: string;
}

/** A handler for `Deno.serve` and its like. */
export interface Handler {
  /**
   * Answers a request. Never rejects because of a client or an upstream.
   *
   * @param request Any request. The site is chosen by the port and host of its URL.
   * @param info Tells the client's address; without it the address is unknown.
   */
  (request: Request, info?: ConnectionInfo): Promise<Response>;
  /**
   * Closes open WebSockets with 1001 once they had their `drain` time, then lets go of idle connections and memory, and
   * writes what is left of the log. Answers under way end by themselves.
   */
  close(): Promise<void>;
}

/**
 * Makes a handler that does what a BWS server with this config would do. Ports in the config are not opened: they only
 * tell sites of the same host apart. `workers`, `reuse_port`, `shutdown_delay`, `listen` and `[management]` have no effect
 * in a handler, nor has `[logging]` without `log`. Of those, and of what else is odd in the config, it warns in the log,
 * without `log` on the console.
 *
 * @param config The same shape as the TOML file, or the text of one. Relative paths start from `baseDir`, which is the
 * folder in which the program was started unless it is given: an object and a text have no folder of their own.
 * @throws {ConfigError} When the config is refused; its message lists all problems.
 *
 * @example
 * ```ts
 * import { createHandler } from "@bws/bws";
 *
 * const handler = createHandler({
 *   sites: [{
 *     proxy: {
 *       upstreams: [{ name: "app", url: "http://127.0.0.1:3000" }],
 *       routes: [{ path: "/", upstream: "app" }],
 *     },
 *   }],
 * });
 * const response = await handler(new Request("http://localhost/api/health"));
 * if (response.status !== 200) throw new Error("expected 200");
 * await handler.close();
 * ```
 */
export function createHandler(config: ConfigInput | string, options: CreateHandlerOptions = {}): Handler {
  const { policies = {}, middleware = [], baseDir } = options;
  const resolved = resolveConfig(config, { baseDir, policies: Object.keys(policies), opensPorts: false });
  return handlerOf(resolved, { policies, middleware, log: options.log === true });
}

/** Options of {@linkcode handlerOf}; `file` is the config file as warnings name it, or empty. */
export interface HandlerOfOptions extends Pick<CreateHandlerOptions, "policies" | "middleware"> {
  readonly log: boolean;
  readonly file?: string;
}

/** The handler of a config that is checked already. Its warnings go to the log, without one to the console. */
export function handlerOf({ config, warnings }: ResolvedConfig, options: HandlerOfOptions): Handler {
  const { policies = {}, middleware = [], file = "" } = options;
  const log = options.log ? new Log(openSink(config.logging.output), config.logging) : undefined;
  warnOfConfig([
    ...warnings,
    ...unusedSettings(config, { opensPorts: false, logs: options.log, file, loadsMiddleware: file !== "" }),
  ], log);
  const generation = new Generation(config, { log, policies });
  generation.activate();
  const entryOf = entries(generation);
  const handler = middleware.length === 0
    ? (request: Request, info?: ConnectionInfo) => Promise.resolve(respond(request, info, entryOf(request.url)))
    : (request: Request, info?: ConnectionInfo) => respondThrough(middleware, request, { info, entryOf });
  return Object.assign(handler, {
    close: async () => {
      await generation.sockets.drain();
      generation.close();
      await log?.flush();
    },
  });
}

// Where a port of the config stands in the URL, its sites are meant; otherwise the host alone decides among all.
function entries(generation: Generation): (url: string) => Entry {
  const allSites: Entry = { responder: generation.responder(generation.allSites), ownPort: false };
  if (generation.listeners.length === 1) return () => allSites;
  const byPort = new Map<string, Entry>();
  for (const [port, sites] of Map.groupBy(generation.sites, (site) => String(site.config.port))) {
    const specs = sites.map((site) => ({ hosts: site.hosts, default: site.config.default, target: site }));
    byPort.set(port, { responder: generation.responder(compileSites(specs)), ownPort: false });
  }
  return (url) => {
    const found = /^https?:\/\/[^/?#]*?:(\d+)(?:[/?#]|$)/.exec(url);
    return found === null ? allSites : byPort.get(found[1]) ?? allSites;
  };
}
