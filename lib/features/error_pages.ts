/**
 * The answers to failed requests of one site: its own pages where it has them.
 *
 * @module
 */

import { mediaTypeOf } from "../http/media_type.ts";
import { errorResponse } from "../http/error_body.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";

/** Error pages of a site, read once. */
export class ErrorPages {
  readonly #pages = new Map<number, { type: string; bytes: Uint8Array<ArrayBuffer> }>();

  /**
   * @param files Status to the absolute path of a file.
   * @throws {Deno.errors.NotFound} And its like, when a file cannot be read.
   */
  constructor(files: Readonly<Record<string, string>>) {
    for (const [status, path] of Object.entries(files)) {
      this.#pages.set(Number(status), { type: mediaTypeOf(path), bytes: Deno.readFileSync(path) });
    }
  }

  /** The answer for `status`, with `lines` among its header lines. */
  answer(
    head: RequestHead | undefined,
    status: number,
    requestId: string,
    lines: readonly string[] = [],
  ): HttpResponse {
    const page = this.#pages.get(status);
    if (page === undefined) return errorResponse(head, status, requestId, lines);
    return { status, headers: [...lines, "content-type", page.type, "cache-control", "no-store"], body: page.bytes };
  }
}
