/**
 * A set of response header fields that browsers use to protect a page. A field that the upstream, `[sites.headers]` or a route
 * has set stays as it is.
 *
 * @module
 */

import { z } from "zod";
import { choice, fieldValue, flag, table } from "../config/fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Filter } from "../exchange/filter.ts";
import { headerValue, removeHeaders } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import type { Feature } from "./feature.ts";

const POLICIES = [
  "no-referrer",
  "no-referrer-when-downgrade",
  "origin",
  "origin-when-cross-origin",
  "same-origin",
  "strict-origin",
  "strict-origin-when-cross-origin",
  "unsafe-url",
] as const;

const keys = table({
  content_type_options: flag().default(true).describe("X-Content-Type-Options: nosniff."),
  frame_options: z.union([choice(["DENY", "SAMEORIGIN"]), z.literal(false)], {
    error: '"DENY", "SAMEORIGIN" or false',
  }).default("SAMEORIGIN").describe("X-Frame-Options: which pages may show this one in a frame; false for no field."),
  referrer_policy: z.union([choice(POLICIES), z.literal(false)], {
    error: 'a policy such as "strict-origin-when-cross-origin", or false',
  }).default("strict-origin-when-cross-origin").describe("Referrer-Policy; false for no field."),
  hsts: flag().default(true).describe(
    "Strict-Transport-Security of a year on responses over https; hsts of the site is the table with all keys.",
  ),
  content_security_policy: fieldValue().optional().describe("Content-Security-Policy, as given."),
  permissions_policy: fieldValue().optional().describe("Permissions-Policy, as given."),
  cross_origin_opener_policy: fieldValue().optional().describe("Cross-Origin-Opener-Policy, as given."),
  hide_server_header: flag().default(true).describe("Whether Server and X-Powered-By of upstreams are removed."),
});

const schema = z.union([flag(), keys], { error: "true, false or a table" }).optional().describe(
  "Header fields that protect pages in browsers. true is a table without keys.",
);

type SecurityHeadersConfig = z.output<typeof schema>;

/** `security_headers`. */
export const securityHeaders = {
  key: "security_headers",
  scopes: ["site", "route"],
  // Behind `headers` on the way up, so that a field of the config is seen.
  order: 590,
  schema,
  compile: (options, { site }) => {
    if (options === undefined || options === false) return undefined;
    return new SecurityHeaders(options === true ? keys.parse({}) : options, "hsts" in site && site.hsts !== undefined);
  },
} as const satisfies Feature<SecurityHeadersConfig>;

class SecurityHeaders implements Filter {
  /** `[lower-case name, value, …]`. */
  readonly #fields: readonly string[];
  readonly #hsts: boolean;
  readonly #hides: boolean;

  /** @param ownHsts Whether the site has `hsts`. */
  constructor(options: z.output<typeof keys>, ownHsts: boolean) {
    const fields: [string, string | false | undefined][] = [
      ["x-content-type-options", options.content_type_options && "nosniff"],
      ["x-frame-options", options.frame_options],
      ["referrer-policy", options.referrer_policy],
      ["content-security-policy", options.content_security_policy],
      ["permissions-policy", options.permissions_policy],
      ["cross-origin-opener-policy", options.cross_origin_opener_policy],
    ];
    this.#fields = fields.flatMap(([name, value]) => value ? [name, value] : []);
    this.#hsts = options.hsts && !ownHsts;
    this.#hides = options.hide_server_header;
  }

  fields(exchange: Exchange, lines: HeaderLines): void {
    if (this.#hides && exchange.fromUpstream) removeHeaders(lines, SERVER);
    for (let i = 0; i < this.#fields.length; i += 2) {
      if (headerValue(lines, this.#fields[i]) === undefined) lines.push(this.#fields[i], this.#fields[i + 1]);
    }
    if (!this.#hsts || exchange.clientScheme !== "https") return;
    if (headerValue(lines, "strict-transport-security") === undefined) {
      lines.push("strict-transport-security", "max-age=31536000");
    }
  }
}

/** What tells attackers which software to look up. */
const SERVER: ReadonlySet<string> = new Set(["server", "x-powered-by"]);
