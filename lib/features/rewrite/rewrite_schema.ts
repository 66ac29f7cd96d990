/**
 * The tables `[[sites.rewrite]]`.
 *
 * @module
 */

import type { z } from "zod";
import { type Fault, judged, table, tables } from "../../config/fields.ts";
import { PathPattern } from "../path_pattern.ts";
import { parseSource } from "../redirects/redirect.ts";

const FROM =
  'a path such as "/old", "/old/*" or "/users/:id", behind a scheme and a host if need be, or "~" and an expression';
const TO = 'a path such as "/new/{*}" or "/index.php?page={page}&{query}", percent-encoded';

/** One rewrite. */
export const rewriteSchema = table({
  from: judged(fromFault, FROM).describe(
    'Which requests, as in redirects: a path, "/old/*" for all below one, "/users/:id" with a named part, or "~" and a regular ' +
      'expression with (?<name>…) parts. A scheme and a host may stand before it, as in "http://www.example.com/*".',
  ),
  to: judged(toFault, TO).describe(
    "What they become: a path with placeholders: {*} for the rest behind a star, named parts, {path}, {query}, {host} and others. " +
      'The query is kept; one in "to" takes its place ("&{query}" in it adds the request\'s, and "?" alone drops it).',
  ),
});

/** All rewrites of a site. */
export const rewriteTables = tables(rewriteSchema).prefault([]).describe(
  "Changes of path and query within the site, which the client does not see: before a route, or a file, is chosen, and after " +
    "redirects; the first that fits decides.",
);

/** One rewrite, after defaults. */
export type RewriteConfig = z.output<typeof rewriteSchema>;

function fromFault(value: string): Fault | undefined {
  try {
    new PathPattern(parseSource(value).path);
    return undefined;
  } catch (error) {
    return { message: (error as Error).message, expected: FROM };
  }
}

function toFault(value: string): Fault | undefined {
  if (/^https?:\/\//i.test(value)) {
    return {
      message: "leads to a URL, and a rewrite stays within the site",
      expected: `${TO}; or [[sites.redirects]]`,
    };
  }
  if (/[^\x21-\x7e]/.test(value) || !/^(?:\/(?![/\\])|\{path\})/.test(value)) return { expected: TO };
  if (value.includes("#")) return { message: "holds a fragment, which no request can carry", expected: TO };
  return undefined;
}
