/**
 * The handler of the config file that the environment names: what `deno serve` of the package serves.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import { loadConfig } from "../generation/config/load_config.ts";
import { formatProblems } from "../config/problem.ts";
import { type Handler, handlerOf } from "./create_handler.ts";
import { loadMiddleware, MiddlewareError } from "./load_middleware.ts";
import type { ConnectionInfo } from "../listener/runtime/request_reader.ts";

let made: Promise<Handler> | undefined;

/**
 * Responds to a request by the config in the file that `BWS_CONFIG` names, else `./config.toml`. The file is read at the
 * start of `deno serve`; where another program imports the handler, on the first request.
 *
 * @param request Any request. The site is chosen by the port and host of its URL.
 * @param info Contains the client's address; without it the address is unknown.
 * @throws {ConfigError} When the config is refused.
 */
export async function handler(request: Request, info?: ConnectionInfo): Promise<Response> {
  return await (await fileHandler())(request, info);
}

/** Reads the config before the first request. If it is refused, prints the problems and exits with 1. */
export async function readAtStart(): Promise<void> {
  try {
    await fileHandler();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof MiddlewareError)) throw error;
    // deno-lint-ignore no-console -- the operator must see the problems
    console.error(error instanceof ConfigError ? formatProblems(error.problems) : error.message);
    Deno.exit(1);
  }
}

function fileHandler(): Promise<Handler> {
  if (made === undefined) {
    const file = Deno.env.get("BWS_CONFIG") ?? "config.toml";
    made = loadConfig(file, { opensPorts: false }).then(async (loaded) => {
      const middleware = await loadMiddleware(loaded.config.server.middleware);
      return handlerOf(loaded, { log: true, file, middleware });
    });
    // The file may be corrected meanwhile: the next request reads it again.
    made.catch(() => made = undefined);
  }
  return made;
}
