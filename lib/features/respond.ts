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
import type { Filter } from "../exchange/filter.ts";
import type { HeaderLines } from "../http/message.ts";
import { matchPath } from "../routing/match_path.ts";
import type { Feature } from "./feature.ts";
import { PathPattern } from "./path_pattern.ts";
import { PlaceholderText } from "./placeholders.ts";

const PATH = 'a path such as "/robots.txt", "/old/*" or "/users/:id", or "~" and an expression';

const responseSchema = table({
  path: judged(pathFault, PATH).describe(
    'Which requests: a path, "/gone/*" for all below one, or "~" and a regular expression.',
  ),
  methods: list(method()).optional().describe("Methods; all by default."),
  status: integer(200, 599).default(200).describe("Status."),
  body: text("text").optional().describe("Text of the body, with placeholders such as {client.ip}."),
  content_type: fieldValue().default("text/plain; charset=utf-8").describe("Content-Type of the body."),
  headers: headerTable().prefault({}).describe("Header fields of the response."),
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
    options.forEach(({ path, body, status }, index) => {
      try {
        new PlaceholderText(body ?? "", new PathPattern(path).names);
      } catch (error) {
        report.error([index, "body"], { message: (error as Error).message, expected: "a placeholder that is known" });
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
      const lines = [...body === undefined ? [] : ["content-type", content_type], ...Object.entries(headers).flat()];
      const made = body === undefined ? undefined : new PlaceholderText(body, pattern.names);
      return { pattern, methods, status, lines, body: made };
    });
  }

  request(exchange: Exchange): Outcome | undefined {
    const { method, path } = exchange.head;
    const matched = matchPath(path);
    if (matched === undefined) return undefined;
    for (const { pattern, methods, status, lines, body } of this.#responses) {
      if (methods !== undefined && !methods.includes(method)) continue;
      const parts = pattern.match(matched);
      if (parts === undefined) continue;
      const bytes = body === undefined ? null : new TextEncoder().encode(body.text(exchange, parts));
      return { status, headers: [...lines], body: bytes };
    }
    return undefined;
  }
}

interface FixedResponse {
  readonly pattern: PathPattern;
  readonly methods: readonly string[] | undefined;
  readonly status: number;
  readonly lines: HeaderLines;
  readonly body: PlaceholderText | undefined;
}

function pathFault(value: string): Fault | undefined {
  try {
    new PathPattern(value);
    return undefined;
  } catch (error) {
    return { message: (error as Error).message, expected: PATH };
  }
}
