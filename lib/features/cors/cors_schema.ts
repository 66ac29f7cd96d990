/**
 * The table `cors`: which pages of other origins may read responses.
 *
 * @module
 */

import { z } from "zod";
import { duration, type Fault, flag, judged, list, method, table, token } from "../../config/fields.ts";
import { OriginPattern } from "./origin_pattern.ts";

const ORIGIN = '"*", an origin such as "https://app.example.com", "https://*.example.com", or "~" and an expression';
const TWENTY_FOUR_HOURS_MS = 86_400_000;

/** The keys of `cors`. */
export const corsKeys = table({
  origins: list(judged(originFault, ORIGIN)).min(1, { error: "at least one origin" }).describe(
    'Origins whose pages may read responses: "https://app.example.com", "https://*.example.com" for all hosts below one, "*" ' +
      'for every origin, or "~" and a regular expression that the whole origin matches.',
  ),
  methods: list(method()).prefault(["GET", "HEAD", "POST"]).describe("Methods that such pages may use."),
  headers: z.union([z.literal("*"), list(token("the name of a header field"))], {
    error: 'a list of names, or "*"',
  }).prefault([]).describe(
    'Header fields that such pages may send, besides the simple ones; "*" for all that are asked for.',
  ),
  exposed_headers: list(token("the name of a header field")).prefault([]).describe(
    "Header fields of responses that such pages may read, besides the simple ones.",
  ),
  credentials: flag().default(false).describe(
    'Whether cookies and other credentials are sent along. Not with "*": every page of the web could act as its visitor.',
  ),
  max_age: duration({ zero: true, maxMs: TWENTY_FOUR_HOURS_MS }).prefault("10m").describe(
    "How long browsers may keep the response to a preflight; 0 for not at all.",
  ),
  private_network: flag().default(false).describe(
    "Whether public pages may ask a server of a private network (Access-Control-Allow-Private-Network).",
  ),
});

/** `cors`, after defaults. */
export type CorsConfig = z.output<typeof corsKeys>;

function originFault(value: string): Fault | undefined {
  if (value === "null") {
    return {
      message: '"null" is the origin of every sandboxed frame, of any site',
      expected: ORIGIN,
    };
  }
  try {
    new OriginPattern(value);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    const bare = /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(value) ? `https://${value}` : undefined;
    const slash = /^https?:\/\/[^/]+\/+$/.test(value) ? value.replace(/\/+$/, "") : undefined;
    return { message, expected: ORIGIN, suggestion: slash ?? bare };
  }
}
