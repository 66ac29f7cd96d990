/**
 * Error pages of a site or a route, in place of the default error responses.
 *
 * @module
 */

import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeFailure } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import type { HttpResponse } from "../http/message.ts";
import { ErrorPage } from "./error_page.ts";
import { errorPageKeys } from "./error_pages_schema.ts";
import type { Feature } from "./feature.ts";

/** `error_pages`. */
export const errorPages = {
  key: "error_pages",
  scopes: ["site", "route"],
  order: 650,
  schema: errorPageKeys.error_pages,
  compile: (files) => Object.keys(files).length === 0 ? undefined : new ErrorPages(files),
} as const satisfies Feature<Record<string, string>>;

/** Error pages of a site or a route, read once. */
export class ErrorPages implements Filter {
  /** By status, or by class, such as "5xx". */
  readonly #pages = new Map<string, ErrorPage>();

  /**
   * @param files Status or class to the absolute path of a file.
   * @throws {Deno.errors.NotFound} Or another error of the file system, when a file cannot be read.
   */
  constructor(files: Readonly<Record<string, string>>) {
    for (const [status, path] of Object.entries(files)) this.#pages.set(status, new ErrorPage(path));
  }

  /** The page for the failure's status; undefined when there is none. */
  errorResponse(exchange: Exchange, { status, lines }: ExchangeFailure): HttpResponse | undefined {
    const page = this.#pages.get(String(status)) ?? this.#pages.get(`${Math.floor(status / 100)}xx`);
    if (page === undefined) return undefined;
    return {
      status,
      headers: [...lines, "content-type", page.type, "cache-control", "no-store"],
      body: page.bytes(exchange, status),
    };
  }
}
