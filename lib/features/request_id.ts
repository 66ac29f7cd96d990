/**
 * The response field with the request id, as in the log.
 *
 * @module
 */

import type { z } from "zod";
import { flag, table, token } from "../config/fields.ts";
import { ownFault } from "../config/header_fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Filter } from "../exchange/filter.ts";
import { headerValue } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import { type HeaderBytes, type WrittenName, writtenName } from "../http1/header_bytes.ts";
import type { Feature } from "./feature.ts";

const schema = table({
  header: token("a header name", ownFault).default("X-Request-Id").describe(
    "Name of the field that carries the id of a request: from trusted_proxies, to upstreams and to clients.",
  ),
  trust: flag().default(true).describe("Keep the id that an upstream puts on its response, instead of the request's."),
}).prefault({}).describe("The id of a request in logs and header fields.");

/** `[sites.request_id]`. */
export const requestId = {
  key: "request_id",
  scopes: ["site"],
  routeKeys: ["headers"],
  order: 100,
  schema,
  compile: ({ header }, { proxy }) => {
    const removed = [...proxy?.headers.remove ?? [], ...proxy?.headers.response.remove ?? []];
    return removed.includes(header.toLowerCase()) ? undefined : new RequestIdField(header);
  },
} as const satisfies Feature<z.output<typeof schema>>;

/** Adds the id to responses that have none: one of a trusted upstream, or of the config, stays. */
export class RequestIdField implements Filter {
  readonly #name: string;
  readonly #lowerName: string;
  readonly #written: WrittenName;

  /** @param name Name of the field. */
  constructor(name: string) {
    this.#name = name;
    this.#lowerName = name.toLowerCase();
    this.#written = writtenName(name);
  }

  get takesPassed(): boolean {
    return true;
  }

  /** Adds the field where it is missing. */
  fields(exchange: Exchange, lines: HeaderLines, passed?: HeaderBytes): void {
    if (passed?.has(this.#lowerName) === true || headerValue(lines, this.#lowerName) !== undefined) return;
    if (passed === undefined) lines.push(this.#name, exchange.requestId);
    else passed.setWritten(this.#written, exchange.id);
  }
}
