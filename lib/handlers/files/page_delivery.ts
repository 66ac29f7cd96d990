/**
 * From a page to an answer: out of memory where the bytes are there, else from disk, and small files by way of memory.
 *
 * @module
 */

import type { HttpResponse } from "../../http/message.ts";
import { planResponse, type ResponsePlan } from "./response_plan.ts";
import type { FileRoot, OpenedFile } from "./file_root.ts";
import { sameStamp } from "./file_stamp.ts";
import { fileBody, memoryBody } from "./file_stream.ts";
import { chooseRepresentation, type Page } from "./page.ts";
import type { PageCache } from "./page_cache.ts";
import { represent, type Representation } from "./representation.ts";
import type { RequestFields } from "./request_fields.ts";
import { readWhole } from "./whole_file.ts";

/** What a request wants of a page. */
export interface PageRequest {
  /** `GET` or `HEAD`. */
  readonly method: string;
  readonly fields: RequestFields;
}

/** What a delivery works with. */
export interface PageDeliveryOptions {
  readonly root: FileRoot;
  readonly pages: PageCache;
  /** Size in bytes up to which a file goes into memory. */
  readonly hotFileMaxBytes: number;
  /** The current time in milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** Answers with pages. Holds nothing of its own. */
export class PageDelivery {
  readonly #root: FileRoot;
  readonly #pages: PageCache;
  readonly #hotFileMaxBytes: number;
  readonly #nowMs: () => number;

  constructor(options: PageDeliveryOptions) {
    this.#root = options.root;
    this.#pages = options.pages;
    this.#hotFileMaxBytes = options.hotFileMaxBytes;
    this.#nowMs = options.nowMs;
  }

  /** The answer if no file has to be read for it: bytes in memory, HEAD, 304, 412, 416. */
  fromMemory(page: Page, request: PageRequest, nowMs: number): HttpResponse | undefined {
    const representation = chooseRepresentation(page, request.fields.acceptEncoding);
    if (!request.fields.conditional && request.method === "GET") {
      const { bytes } = representation;
      return bytes === undefined ? undefined : { status: 200, headers: representation.okLines.slice(), body: bytes };
    }
    return memoryResponse(planResponse(request.method, request.fields, representation, nowMs), representation);
  }

  /**
   * The answer with the page at a path, or undefined where there is no page.
   *
   * @param path Decoded path; one that ends with `/` means an index file.
   * @param request What is wanted of it.
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to read the file.
   */
  async deliver(path: string, request: PageRequest): Promise<HttpResponse | undefined> {
    for (let look = 1; look <= LOOKS_MAX; look++) {
      const page = this.#pages.fresh(path, this.#nowMs()) ?? await this.#pages.look(path);
      if (page === undefined) return undefined;
      const answer = this.fromMemory(page, request, this.#nowMs()) ??
        await this.#fromDisk(path, page, request, look === LOOKS_MAX);
      if (answer !== undefined) return answer;
      this.#pages.forget(path); // the file is no longer what the page says
    }
    return undefined;
  }

  async #fromDisk(
    path: string,
    page: Page,
    request: PageRequest,
    lastLook: boolean,
  ): Promise<HttpResponse | undefined> {
    const representation = chooseRepresentation(page, request.fields.acceptEncoding);
    // A file that changes under every look is streamed as it is now; it would never hold still for memory.
    if (representation.sizeBytes <= this.#hotFileMaxBytes && !lastLook) {
      const bytes = await readWhole(this.#root, representation, this.#nowMs());
      if (bytes === undefined) return undefined;
      this.#pages.recount(path, page);
      return memoryResponse(
        planResponse(request.method, request.fields, representation, this.#nowMs()),
        representation,
      );
    }
    const opened = await this.#root.open(representation.found);
    if (opened === undefined) return undefined;
    // What is promised is what this handle has, not what the last look saw.
    const { found, options } = representation;
    const same = sameStamp(opened.stamp, found.stamp);
    return this.#stream(opened, same ? representation : represent(found, options, opened.stamp), request);
  }

  #stream(opened: OpenedFile, representation: Representation, request: PageRequest): HttpResponse {
    const { status, headers, pieces } = planResponse(request.method, request.fields, representation, this.#nowMs());
    if (pieces !== undefined) return { status, headers, body: fileBody(opened, pieces) };
    opened.file.close();
    return { status, headers, body: null };
  }
}

/** Looks at a file that turns out changed each time before it is sent as it then is. */
const LOOKS_MAX = 3;

function memoryResponse(
  { status, headers, pieces }: ResponsePlan,
  { bytes }: Representation,
): HttpResponse | undefined {
  if (pieces === undefined) return { status, headers, body: null };
  return bytes === undefined ? undefined : { status, headers, body: memoryBody(bytes, pieces) };
}
