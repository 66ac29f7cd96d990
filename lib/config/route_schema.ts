/**
 * The tables `[[sites.proxy.routes]]`.
 *
 * @module
 */

import type { z } from "zod";
import { flag, list, matching, method, size, slashPath, table, text } from "./fields.ts";

/** One route: which requests go to which pool. */
export const routeSchema = table("sites.proxy.routes", {
  path: slashPath().describe('Prefix of the paths to proxy, up to a "/" or the end; see exact and pattern.'),
  upstream: text("the name of an upstream").describe("Name of the pool that takes the requests."),
  strip_prefix: flag().default(false).describe("Take the matched prefix away before the upstream sees the path."),
  rewrite_target: matching(/^\/[\x21-\x7e]*$/, 'a path in ASCII that begins with "/" and holds no spaces').optional()
    .describe("Text that replaces the matched prefix, or the whole path of an exact or pattern route."),
  websocket: flag().default(false).describe("Whether requests may upgrade to WebSocket."),
  exact: flag().default(false).describe("Match this path only, and nothing below it."),
  pattern: flag().default(false).describe("Read path as a URLPattern pathname, such as /users/:id."),
  methods: list(method(), "a list of methods").min(1, { error: "at least one method" }).optional()
    .describe("Methods to match; without it, all."),
  preserve_host: flag().optional().describe("Overrides the proxy's preserve_host."),
  max_body_size: size().optional().describe("Largest request body of this route; overrides the site's."),
});

/** A route, after defaults. */
export type RouteConfig = z.output<typeof routeSchema>;
