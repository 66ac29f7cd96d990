/**
 * The field that tells a client the id of its request, as it is in the log.
 *
 * @module
 */

import type { z } from "zod";
import type { Exchange } from "../exchange/exchange.ts";
import type { Filter } from "../exchange/filter.ts";
import { headerValue } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import type { Feature } from "./feature.ts";
import { siteHeaderKeys } from "./site_headers_schema.ts";

/** `[sites.request_id]`. */
export const requestId = {
  key: "request_id",
  scopes: ["site"],
  routeKeys: ["headers"],
  order: 100,
  schema: siteHeaderKeys.request_id,
  compile: ({ header }, { proxy }) => {
    const removed = [...proxy?.headers.remove ?? [], ...proxy?.headers.response.remove ?? []];
    return removed.includes(header.toLowerCase()) ? undefined : new RequestIdField(header);
  },
} as const satisfies Feature<z.output<typeof siteHeaderKeys.request_id>>;

/** Puts the id on responses that have none: one of the upstream's that is believed, or of the config's, stays. */
export class RequestIdField implements Filter {
  readonly #name: string;
  readonly #lowerName: string;

  /** @param name Name of the field. */
  constructor(name: string) {
    this.#name = name;
    this.#lowerName = name.toLowerCase();
  }

  /** Adds the field. */
  fields(exchange: Exchange, lines: HeaderLines): void {
    if (headerValue(lines, this.#lowerName) === undefined) lines.push(this.#name, exchange.requestId);
  }
}
