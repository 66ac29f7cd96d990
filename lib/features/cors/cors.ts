/**
 * CORS (Fetch standard, section 3.3): pages of other origins may read responses. Preflights are answered here, without the
 * upstream, whose own CORS fields are replaced.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { addVary, headerValue, removeHeaders } from "../../http/header_lines.ts";
import type { HeaderLines, RequestHead } from "../../http/message.ts";
import type { Feature } from "../feature.ts";
import { type CorsConfig, corsKeys } from "./cors_schema.ts";
import { OriginPattern } from "./origin_pattern.ts";

/** `cors`. */
export const cors = {
  key: "cors",
  scopes: ["site", "route"],
  order: 200,
  schema: corsKeys.optional().describe("Which pages of other origins may read responses."),
  check(options, report) {
    if (options?.credentials !== true || !options.origins.includes("*")) return;
    report.error(["credentials"], {
      message: 'credentials is true with origins = ["*"]: every page of the web could act as its visitor',
      expected: "the origins that are trusted, or credentials = false",
    });
  },
  compile: (options) => options === undefined ? undefined : new Cors(options),
} as const satisfies Feature<CorsConfig | undefined>;

/** The method that a preflight (OPTIONS with Origin and Access-Control-Request-Method) asks for; undefined for other requests. */
export function preflightMethod({ method, headers }: RequestHead): string | undefined {
  if (method !== "OPTIONS" || headerValue(headers, "origin") === undefined) return undefined;
  return headerValue(headers, "access-control-request-method");
}

class Cors implements Filter {
  readonly #anyOrigin: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #patterns: readonly OriginPattern[];
  readonly #methods: string;
  readonly #headers: string;
  readonly #anyHeader: boolean;
  readonly #exposed: string;
  readonly #credentials: boolean;
  readonly #maxAge: string;
  readonly #privateNetwork: boolean;

  constructor(options: CorsConfig) {
    const patterns = options.origins.map((source) => new OriginPattern(source));
    this.#anyOrigin = options.origins.includes("*");
    this.#exact = new Set(patterns.flatMap(({ exact }) => exact ?? []));
    this.#patterns = patterns.filter(({ exact }) => exact === undefined);
    this.#methods = options.methods.join(", ");
    this.#anyHeader = options.headers === "*";
    this.#headers = options.headers === "*" ? "" : options.headers.join(", ");
    this.#exposed = options.exposed_headers.join(", ");
    this.#credentials = options.credentials;
    this.#maxAge = String(Math.floor(options.max_age / 1000));
    this.#privateNetwork = options.private_network;
  }

  request({ head }: Exchange): Outcome | undefined {
    if (preflightMethod(head) === undefined) return undefined;
    const lines: HeaderLines = [];
    if (this.#allows(headerValue(head.headers, "origin"))) {
      const asked = headerValue(head.headers, "access-control-request-headers");
      const headers = this.#anyHeader ? asked : this.#headers;
      lines.push("access-control-allow-methods", this.#methods, "access-control-max-age", this.#maxAge);
      if (headers) lines.push("access-control-allow-headers", headers);
      const network = headerValue(head.headers, "access-control-request-private-network");
      if (this.#privateNetwork && network?.toLowerCase() === "true") {
        lines.push("access-control-allow-private-network", "true");
      }
    }
    lines.push("vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    return { status: 204, headers: lines, body: null };
  }

  /** On every response, error responses too: a page could not read the status of a failure otherwise. */
  fields({ head, fromUpstream }: Exchange, lines: HeaderLines): void {
    if (fromUpstream) removeHeaders(lines, FIELDS);
    if (!this.#anyOrigin) addVary(lines, "Origin");
    const origin = headerValue(head.headers, "origin");
    if (!this.#allows(origin)) return;
    lines.push("access-control-allow-origin", this.#anyOrigin ? "*" : origin);
    if (this.#credentials) lines.push("access-control-allow-credentials", "true");
    if (this.#exposed !== "" && preflightMethod(head) === undefined) {
      lines.push("access-control-expose-headers", this.#exposed);
    }
  }

  #allows(origin: string | undefined): origin is string {
    if (origin === undefined) return false;
    if (this.#anyOrigin) return true;
    const lower = origin.toLowerCase();
    return this.#exact.has(lower) || this.#patterns.some((pattern) => pattern.matches(lower));
  }
}

/** The upstream's fields, which would stand beside those of the config: browsers refuse two values. */
const FIELDS: ReadonlySet<string> = new Set([
  "access-control-allow-origin",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-allow-credentials",
  "access-control-allow-private-network",
  "access-control-expose-headers",
  "access-control-max-age",
]);
