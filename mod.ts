/**
 * BWS: a reverse proxy and static web server, as a library.
 *
 * - {@linkcode createHandler} creates a handler from a config, for `Deno.serve`, a framework, or Deno Deploy.
 * - {@linkcode startServer} opens the ports of a config and serves on them, in this thread.
 * - {@linkcode handler}, also the default export, serves the config in the file that `BWS_CONFIG` names, else
 *   `./config.toml`. `deno serve` of this module uses it, and exits at once if the config is refused.
 * - {@linkcode loadConfig} and {@linkcode resolveConfig} check a config and report every problem with its position.
 *
 * {@linkcode ConfigInput} is the type of a config as it is written, with a sentence for each key.
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

import { handler, readAtStart } from "./lib/process/config_file_handler.ts";

// Under `deno serve` only, not where another program imports this module.
if (import.meta.main) await readAtStart();

/** For `deno serve`: {@linkcode handler}. */
const served: { fetch: typeof handler } = { fetch: handler };
export default served;

export { handler };
export { createHandler } from "./lib/process/create_handler.ts";
export type { CreateHandlerOptions, Handler } from "./lib/process/create_handler.ts";
export type { Middleware } from "./lib/listener/middleware.ts";
export type { ConnectionInfo } from "./lib/listener/runtime/request_reader.ts";
export { startEmbedded as startServer } from "./lib/process/embedded_server.ts";
export type { EmbeddedServer, EmbeddedServerOptions } from "./lib/process/embedded_server.ts";
export { loadConfig } from "./lib/generation/config/load_config.ts";
export type { LoadConfigOptions, LoadedConfig } from "./lib/generation/config/load_config.ts";
export { resolveConfig } from "./lib/generation/config/resolve_config.ts";
export type { ResolveConfigOptions, ResolvedConfig } from "./lib/generation/config/resolve_config.ts";
export type { ParseConfigOptions } from "./lib/config/read_config.ts";
export type { CheckOptions, TryPort } from "./lib/config/composed_config.ts";
export type { ReadVariable } from "./lib/config/substitution.ts";
export { ConfigError } from "./lib/config/config_error.ts";
export type { Problem } from "./lib/config/problem.ts";
export type * from "./lib/generation/config/config_types.ts";
export type { StatusRange } from "./lib/http/status_range.ts";
export type { OwnPolicyFactory } from "./lib/generation/pools/pools.ts";
export { createPolicy } from "./lib/upstream/balancer/registry.ts";
export type { PolicyName } from "./lib/upstream/balancer/registry.ts";
export type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./lib/upstream/balancer/policy.ts";
export type { CookieSettings, PolicySettings } from "./lib/upstream/balancer/policy_settings.ts";
export type { TakeFields } from "./lib/state/shared_state.ts";
export { hostOf } from "./lib/http/authority.ts";
export type { HeaderLines, Peer, RequestHead } from "./lib/http/message.ts";
export { VERSION } from "./lib/version.ts";
