/**
 * BWS inside another program: a handler `(request, info?) => Promise<Response>` from a config.
 *
 * @module
 */

import { resolveConfig, type ResolvedConfig } from "../generation/config/resolve_config.ts";
import type { ConfigInput } from "../generation/config/config_types.ts";
import { unusedSettings } from "./unused_settings.ts";
import { openLog } from "./open_log.ts";
import { compileSites } from "../routing/site_table.ts";
import { respond } from "../listener/runtime/adapter.ts";
import type { Middleware } from "../listener/middleware.ts";
import { respondToWebRequest } from "../listener/runtime/web_requests.ts";
import type { ConnectionInfo, Entry } from "../listener/runtime/request_reader.ts";
import { Generation } from "../generation/generation.ts";
import type { OwnPolicyFactory } from "../generation/pools/pools.ts";
import { warnOfConfig } from "../generation/config_warnings.ts";

/** Options of `createHandler`. */
export interface CreateHandlerOptions {
  /**
   * Balancing policies besides the built-in ones, by the name that `load_balancing.method` uses.
   *
   * @default {{}}
   */
  policies?: Readonly<Record<string, OwnPolicyFactory>>;
  /**
   * Functions that handle each request before BWS does, the outermost first. Their responses get the request id and
   * `[sites.headers]` where they have no field of that name, and are logged and counted like any other. An exception
   * becomes a 500 response.
   *
   * @default {[]}
   */
  middleware?: readonly Middleware[];
  /**
   * Whether a log is written, as `[logging]` sets it: to standard output unless `output` is set.
   *
   * @default {false}
   */
  log?: boolean;
  /**
   * Folder to which relative paths of the config refer.
   *
   * @default {Deno.cwd()}
   */
  baseDir?: string;
}

/** A handler for `Deno.serve` and similar servers. */
export interface Handler {
  /**
   * Responds to a request. Never rejects because of a client or an upstream.
   *
   * @param request Any request. The site is chosen by the port and host of its URL.
   * @param info Contains the client's address; without it the address is unknown.
   */
  (request: Request, info?: ConnectionInfo): Promise<Response>;
  /**
   * Closes open WebSockets with 1001 after their `drain` time, then closes idle connections, releases memory and flushes
   * the log. Responses in progress are not affected.
   */
  close(): Promise<void>;
}

/**
 * Creates a handler that responds as a BWS server with this config would. Ports in the config are not opened: they only
 * distinguish sites of the same host. `workers`, `reuse_port`, `shutdown_delay`, `listen` and `[management]` have no effect
 * in a handler, nor has `[logging]` without `log`. Warnings about these and about the rest of the config go to the log, or
 * to the console without `log`.
 *
 * @param config An object of the same shape as the TOML file, or the text of such a file. Relative paths refer to `baseDir`,
 * by default the current folder.
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

/** Options of {@linkcode handlerOf}; `file` is the name of the config file in warnings, or empty. */
export interface HandlerOfOptions extends Pick<CreateHandlerOptions, "policies" | "middleware"> {
  readonly log: boolean;
  readonly file?: string;
}

/** Creates the handler of a config that was checked. Warnings go to the log, or to the console without one. */
export function handlerOf({ config, warnings }: ResolvedConfig, options: HandlerOfOptions): Handler {
  const { policies = {}, middleware = [], file = "" } = options;
  const log = options.log ? openLog(config.logging) : undefined;
  warnOfConfig([
    ...warnings,
    ...unusedSettings(config, { opensPorts: false, logs: options.log, file, loadsMiddleware: file !== "" }),
  ], log);
  const generation = new Generation(config, { log, policies });
  generation.activate();
  const entryOf = entries(generation);
  const handler = middleware.length === 0
    ? (request: Request, info?: ConnectionInfo) => Promise.resolve(respond(request, info, entryOf(request.url)))
    : (request: Request, info?: ConnectionInfo) => respondToWebRequest(middleware, request, { info, entryOf });
  return Object.assign(handler, {
    close: async () => {
      await generation.sockets.drain();
      generation.close();
      await log?.drain();
    },
  });
}

// A port in the URL that the config has selects the sites of that port; otherwise the host selects among all sites.
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
