/**
 * Middleware of `bws run`: it guards what lies below /private/ with a token, and marks each response. Set it in the config:
 *
 * ```toml
 * [server]
 * middleware = "middleware.ts"
 * ```
 *
 * A response that it makes is in the log and in the metrics like any other, with the request id and the header fields of
 * its site.
 *
 * @module
 */

import type { Middleware } from "@bws/bws";

const TOKEN = Deno.env.get("PRIVATE_TOKEN");

const guard: Middleware = (request, next) => {
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith("/private/")) return next(request);
  if (TOKEN !== undefined && request.headers.get("authorization") === `Bearer ${TOKEN}`) return next(request);
  return new Response("Private\n", { status: 401, headers: { "www-authenticate": "Bearer" } });
};

const mark: Middleware = async (request, next) => {
  const response = await next(request);
  // The response of a WebSocket handshake cannot be changed.
  if (response.status !== 101) response.headers.set("x-served-by", "bws");
  return response;
};

/** The outermost first. */
export const filters: Middleware[] = [mark, guard];
