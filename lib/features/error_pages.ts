/**
 * Error pages of a site, in place of the default error responses.
 *
 * @module
 */

import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeFailure } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import { mediaTypeOf } from "../http/media_type.ts";
import type { HttpResponse } from "../http/message.ts";
import { errorPageKeys } from "./error_pages_schema.ts";
import type { Feature } from "./feature.ts";

/** `[sites.error_pages]`. */
export const errorPages = {
  key: "error_pages",
  scopes: ["site"],
  order: 650,
  schema: errorPageKeys.error_pages,
  compile: (files) => Object.keys(files).length === 0 ? undefined : new ErrorPages(files),
} as const satisfies Feature<Record<string, string>>;

/** Error pages of a site, read once. */
export class ErrorPages implements Filter {
  readonly #pages = new Map<number, { type: string; bytes: Uint8Array<ArrayBuffer> }>();

  /**
   * @param files Status to the absolute path of a file.
   * @throws {Deno.errors.NotFound} Or another error of the file system, when a file cannot be read.
   */
  constructor(files: Readonly<Record<string, string>>) {
    for (const [status, path] of Object.entries(files)) {
      this.#pages.set(Number(status), { type: mediaTypeOf(path), bytes: Deno.readFileSync(path) });
    }
  }

  /** The page for the failure's status; undefined when there is none. */
  errorResponse(_: Exchange, { status, lines }: ExchangeFailure): HttpResponse | undefined {
    const page = this.#pages.get(status);
    if (page === undefined) return undefined;
    return { status, headers: [...lines, "content-type", page.type, "cache-control", "no-store"], body: page.bytes };
  }
}
