/**
 * Loads the middleware of a config from the module that exports it.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import type { Middleware } from "../listener/middleware.ts";

/** A module of middleware could not be loaded, or has no usable export. */
export class MiddlewareError extends Error {
  override readonly name = "MiddlewareError";
}

let loads = 0;

/**
 * The middleware that a module exports: `filters`, an array of functions, the outermost first; or as the default export one
 * function or such an array. The module is loaded again each time; modules that it imports are not.
 *
 * @param path Absolute path of the module; undefined for none.
 * @throws {MiddlewareError} When the module cannot be loaded, or exports something else.
 */
export async function loadMiddleware(path: string | undefined): Promise<readonly Middleware[]> {
  if (path === undefined) return [];
  let module: Record<string, unknown>;
  try {
    // With another query the runtime loads the module again.
    module = await import(`${pathToFileURL(path).href}?load=${++loads}-${Date.now()}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MiddlewareError(`Cannot load the middleware ${path}: ${reason}`, { cause: error });
  }
  const exported = module.filters ?? module.default;
  const filters: unknown[] = Array.isArray(exported) ? exported : [exported];
  const wrong = filters.find((filter) => typeof filter !== "function");
  if (exported !== undefined && (wrong === undefined && filters.length > 0)) return filters as Middleware[];
  const found = exported === undefined
    ? `no such export among ${Object.keys(module).join(", ") || "none"}`
    : Array.isArray(exported)
    ? `an array with ${filters.length === 0 ? "nothing" : typeof wrong} in it`
    : typeof exported;
  throw new MiddlewareError(
    `Cannot use the middleware ${path}: found ${found}, expected filters, an array of functions (request, next, info), ` +
      `or one as the default export`,
  );
}
