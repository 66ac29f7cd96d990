/**
 * The tables `[[sites.redirects]]`.
 *
 * @module
 */

import { z } from "zod";
import { type Fault, judged, table, tables } from "../../config/fields.ts";
import { PathPattern } from "../path_pattern.ts";
import { parseSource } from "./redirect.ts";

const FROM =
  'a path such as "/old", "/old/*" or "/users/:id", behind a scheme and a host if need be, or "~" and an expression';
const TO = 'a path such as "/new/{path}", or a URL such as "https://example.com/{path}"';

/** One redirect. */
export const redirectSchema = table({
  from: judged(fromFault, FROM).describe(
    'Which requests: a path, "/old/*" for all below one, "/users/:id" with a named part, or "~" and a regular expression with ' +
      '(?<name>…) parts. A scheme and a host may stand before it, as in "http://www.example.com/*".',
  ),
  to: judged(toFault, TO).describe(
    "Where to: a path or a URL with placeholders: {path}, {query}, {host}, {scheme}, {*} for the rest behind a star, and named " +
      "parts. The query is kept unless this has one.",
  ),
  status: z.union([301, 302, 303, 307, 308].map((code) => z.literal(code)), {
    error: "301, 302, 303, 307 or 308",
  }).default(308).describe("301, 302, 303, 307 or 308."),
});

/** All redirects of a site. */
export const redirectsSchema = tables(redirectSchema).prefault([]).describe(
  "Redirects, before everything else of the site; the first that fits decides.",
);

/** One redirect, after defaults. */
export type RedirectConfig = z.output<typeof redirectSchema>;

function fromFault(value: string): Fault | undefined {
  try {
    new PathPattern(parseSource(value).path);
    return undefined;
  } catch (error) {
    const bare = /^[\w.-]+(?:\/.*)?$/.test(value) && value.includes(".") ? `https://${value}` : undefined;
    return { message: (error as Error).message, expected: FROM, suggestion: bare };
  }
}

function toFault(value: string): Fault | undefined {
  if (/[^\x21-\x7e]/.test(value)) return { expected: `${TO}, percent-encoded` };
  if (/^\/(?![/\\])/.test(value) || value.startsWith("{path}")) return undefined;
  const url = /^https?:\/\/([^/?#]*)([/?#].*)?$/.exec(value);
  if (url === null || url[1] === "") return { expected: TO };
  // "https://example.com{*}" would let the client choose the host: ".evil.com".
  const host = url[1].replace(/\{path\}$/, "");
  if (/\{(?!(?:host|port)\})/.test(host)) {
    return { message: "has a placeholder in its host, which the client could choose", expected: TO };
  }
  return undefined;
}
