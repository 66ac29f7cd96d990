/**
 * The tables `[[sites.proxy.routes]]`.
 *
 * @module
 */

import type { z } from "zod";
import { climbs, writtenPath } from "../../../routing/match_path.ts";
import { type Fault, flag, inheriting, judged, list, method, slashPath, table, text } from "../../../config/fields.ts";
import { headersKeys } from "./headers_schema.ts";
import { retriesKeys } from "./retries_schema.ts";
import { timeoutKeys } from "./timeout_schema.ts";

const TARGET = 'a path that begins with "/" and holds no spaces, query and fragment';

/** One route: which requests go to which pool, and how. */
export const routeOwnKeys = {
  path: slashPath().describe('Prefix of the paths to proxy, up to a "/" or the end; see exact and pattern.'),
  upstream: text("the name of an upstream").describe("Name of the pool that takes the requests."),
  strip_prefix: flag().default(false).describe(
    "Remove the matched prefix from the path of the request to the upstream.",
  ),
  rewrite_target: judged(targetFault, TARGET).optional()
    .describe("Text that replaces the matched prefix, or the whole path of an exact or pattern route."),
  websocket: flag().default(false).describe("Whether requests may upgrade to WebSocket."),
  exact: flag().default(false).describe("Match this path only, and nothing below it."),
  pattern: flag().default(false).describe("Read path as a URLPattern pathname, such as /users/:id."),
  methods: list(method(), "a list of methods").min(1, { error: "at least one method" }).optional()
    .describe("Methods to match; without it, all."),
  preserve_host: flag().optional().describe("Overrides the proxy's preserve_host."),
  rewrite_redirects: flag().optional().describe("Overrides the proxy's rewrite_redirects."),
  timeout: table(inheriting(timeoutKeys)).optional().describe(
    "How long this route may take; what it does not set is the proxy's.",
  ),
  retries: table(inheriting(retriesKeys)).optional().describe(
    "How requests of this route are retried; what it does not set is the proxy's.",
  ),
  headers: table(inheriting(headersKeys)).optional().describe(
    "Changes to header fields on this route; what it does not set is the proxy's, field by field.",
  ),
  streaming: flag().default(false).describe(
    "Whether clients and upstreams may be silent for long, as in long polls and streams: no failure of the upstream.",
  ),
};

/** A route, after defaults. */
export type RouteConfig = z.output<z.ZodObject<typeof routeOwnKeys>>;

function targetFault(value: string): Fault | undefined {
  // deno-lint-ignore no-control-regex
  if (!value.startsWith("/") || /[\s\x00-\x1f\x7f-\x9f\\]/.test(value)) return { expected: TARGET };
  if (value.includes("#")) {
    return {
      message: "holds a fragment, which no request can carry",
      expected: 'a path, with "%23" for the sign itself',
    };
  }
  if (value.includes("?")) {
    return {
      message: "holds a query, and the query of the request follows the path",
      expected: 'a path, with "%3F" for the sign itself',
    };
  }
  const plain = writtenPath(value);
  if (plain === undefined) {
    return { message: 'has a "%" without two hexadecimal digits', expected: '"%25" for the sign itself' };
  }
  return climbs(plain) ? { message: "leads above the root", expected: "a path below it" } : undefined;
}
