/**
 * BWS: a reverse proxy and static web server, as a library. {@linkcode createHandler} makes a handler of a config;
 * {@linkcode handler} is one made of the file that `BWS_CONFIG` names, or of `./config.toml`, on its first request, so
 * that `deno serve mod.ts` works.
 *
 * @example
 * ```ts ignore
 * import { createHandler } from "@bws/bws";
 *
 * Deno.serve(createHandler(await Deno.readTextFile("config.toml")));
 * ```
 *
 * @module
 */

import { loadConfig } from "./lib/config/load_config.ts";
import type { ConnectionInfo } from "./lib/gateway/request_reader.ts";
import { type Handler, handlerOf } from "./lib/gateway/create_handler.ts";

let made: Promise<Handler> | undefined;

/**
 * Answers a request by the config in the file that `BWS_CONFIG` names, else `./config.toml`. The file is read on the
 * first request.
 *
 * @throws {ConfigError} When the config is refused.
 */
export async function handler(request: Request, info?: ConnectionInfo): Promise<Response> {
  made ??= loadConfig(Deno.env.get("BWS_CONFIG") ?? "config.toml", { opensPorts: false })
    .then((loaded) => handlerOf(loaded, {}, [], loaded.config.logging.access));
  // A file that was refused may be mended: the next request looks again.
  made.catch(() => made = undefined);
  return await (await made)(request, info);
}

/** For `deno serve mod.ts`. */
export default { fetch: handler } satisfies { fetch: typeof handler };

export { createHandler } from "./lib/gateway/create_handler.ts";
export type { CreateHandlerOptions, Handler, Middleware } from "./lib/gateway/create_handler.ts";
export type { ConnectionInfo } from "./lib/gateway/request_reader.ts";
export type { OwnPolicyFactory } from "./lib/gateway/pools.ts";
export type { Candidate, Policy, PolicyRequest } from "./lib/balancer/policy.ts";
export { createPolicy, POLICIES, type PolicyName } from "./lib/balancer/registry.ts";
export { startServer } from "./lib/server/server.ts";
export type { RunningServer } from "./lib/server/server.ts";
export { loadConfig } from "./lib/config/load_config.ts";
export { resolveConfig } from "./lib/config/resolve_config.ts";
export { ConfigError } from "./lib/config/config_error.ts";
export type { Problem } from "./lib/config/problem.ts";
export type { Config, ConfigInput } from "./lib/config/schema.ts";
export { hostOf } from "./lib/http/authority.ts";
export type { Answer, HeaderLines, Peer, RequestHead } from "./lib/http/message.ts";
export { VERSION } from "./lib/version.ts";
