/**
 * Fixed responses of a site, such as robots.txt or the health check of a load balancer in front, without an upstream or a file.
 *
 * @module
 */

import type { z } from "zod";
import { type Fault, fieldValue, integer, judged, list, method, table, tables, text } from "../config/fields.ts";
import { headerTable } from "../config/header_fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Outcome } from "../exchange/exchange_failure.ts";
import { type FieldTexts, fieldTexts } from "../exchange/field_text.ts";
import type { Filter } from "../exchange/filter.ts";
import { placeholderFault, PlaceholderText } from "../exchange/placeholders.ts";
import type { HeaderLines } from "../http/message.ts";
import { matchPath } from "../routing/match_path.ts";
import type { Feature } from "./feature.ts";
import { PathPattern } from "./path_pattern.ts";

const PATH = 'a path such as "/robots.txt", "/old/*" or "/users/:id", or "~" and an expression';

const responseSchema = table({
  path: judged(pathFault, PATH).describe(
    'Which requests: a path, "/gone/*" for all below one, or "~" and a regular expression.',
  ),
  methods: list(method()).optional().describe("Methods; all by default."),
  status: integer(200, 599).default(200).describe("Status."),
  body: text("text").optional().describe(
    "Text of the body, with placeholders such as {client.ip}; JSON stays as it is.",
  ),
  content_type: fieldValue().default("text/plain; charset=utf-8").describe("Content-Type of the body."),
  headers: headerTable().prefault({}).describe("Header fields of the response, with placeholders."),
});

const schema = tables(responseSchema).prefault([]).describe("Fixed responses; the first that fits decides.");

type RespondConfig = z.output<typeof schema>;

/** `[[sites.respond]]`. */
export const respond = {
  key: "respond",
  scopes: ["site"],
  order: 450,
  schema,
  check(options, report) {
    options.forEach(({ path, body, status, headers }, index) => {
      const parts = new PathPattern(path).names;
      const texts = [["body", body ?? ""], ...Object.entries(headers).map(([name, value]) => ["headers", name, value])];
      for (const text of texts) {
        const fault = placeholderFault(text.at(-1) as string, { parts, keepsUnknown: text[0] === "headers" });
        if (fault === undefined) continue;
        report.error([index, ...text.slice(0, -1)], { ...fault, message: fault.message ?? "is not valid" });
      }
      if (body === undefined || (status !== 204 && status !== 304)) return;
      report.error([index, "body"], { message: `a response with ${status} has no body`, expected: "another status" });
    });
  },
  compile: (options) => options.length === 0 ? undefined : new Respond(options),
} as const satisfies Feature<RespondConfig>;

class Respond implements Filter {
  readonly #responses: readonly FixedResponse[];

  constructor(options: RespondConfig) {
    this.#responses = options.map(({ path, methods, status, body, content_type, headers }) => {
      const pattern = new PathPattern(path);
      const parts = pattern.names;
      const { lines, made } = fieldTexts(Object.entries(headers), "received", parts);
      if (body !== undefined) lines.unshift("content-type", content_type);
      return { pattern, methods, status, lines, made, body: textOf(body, parts) };
    });
  }

  request(exchange: Exchange): Outcome | undefined {
    const { method, path } = exchange.head;
    const matched = matchPath(path);
    if (matched === undefined) return undefined;
    for (const { pattern, methods, status, lines, made, body } of this.#responses) {
      if (methods !== undefined && !methods.includes(method)) continue;
      const parts = pattern.match(matched);
      if (parts === undefined) continue;
      const headers = [...lines];
      for (const [name, text] of made) headers.push(name, text.value(exchange, parts));
      return {
        status,
        headers,
        body: body === undefined ? null : new TextEncoder().encode(body.text(exchange, parts)),
      };
    }
    return undefined;
  }
}

interface FixedResponse {
  readonly pattern: PathPattern;
  readonly methods: readonly string[] | undefined;
  readonly status: number;
  readonly lines: HeaderLines;
  readonly made: FieldTexts;
  readonly body: PlaceholderText | undefined;
}

function textOf(source: string | undefined, parts: readonly string[]): PlaceholderText | undefined {
  return source === undefined ? undefined : new PlaceholderText(source, { parts });
}

function pathFault(value: string): Fault | undefined {
  try {
    new PathPattern(value);
    return undefined;
  } catch (error) {
    return { message: (error as Error).message, expected: PATH };
  }
}
