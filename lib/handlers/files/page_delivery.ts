/**
 * From a page to a response: from memory if the bytes are cached, else from disk; small files are cached on the way.
 *
 * @module
 */

import type { HttpResponse, ResponseBody } from "../../http/message.ts";
import { okPlan, planResponse, type ResponsePlan } from "./response_plan.ts";
import type { FileRoot, OpenedFile } from "./file_root.ts";
import { KeptFiles } from "./kept_files.ts";
import { sameStamp } from "./file_stamp.ts";
import { fileBody, memoryBody } from "./file_stream.ts";
import { chooseRepresentation, type Page } from "./page.ts";
import type { PageCache } from "./page_cache.ts";
import { represent, type Representation } from "./representation.ts";
import type { PageRequest } from "./request_fields.ts";
import { readWhole } from "./whole_file.ts";

/** Options of a delivery. */
export interface PageDeliveryOptions {
  readonly root: FileRoot;
  readonly pages: PageCache;
  /** Largest file that is cached, in bytes. */
  readonly hotFileMaxBytes: number;
  /** The current time in milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** Responds with pages. Owned by a file server, which closes it. */
export class PageDelivery {
  readonly #root: FileRoot;
  readonly #pages: PageCache;
  readonly #hotFileMaxBytes: number;
  readonly #nowMs: () => number;
  readonly #kept = new KeptFiles();

  constructor(options: PageDeliveryOptions) {
    this.#root = options.root;
    this.#pages = options.pages;
    this.#hotFileMaxBytes = options.hotFileMaxBytes;
    this.#nowMs = options.nowMs;
  }

  /** Closes the files that are kept open. Responses that are being sent continue. */
  close(): void {
    this.#kept.close();
  }

  /** The response if no file has to be opened for it: bytes in memory, HEAD, 304, 412, 416, a file that is open. */
  fromMemory(page: Page, request: PageRequest, nowMs: number): HttpResponse | undefined {
    const representation = chooseRepresentation(page, request.fields.acceptEncoding);
    const { bytes } = representation;
    if (bytes !== undefined && !request.fields.conditional && request.method === "GET") {
      return responseOf(okPlan(representation, request.takesPassed, undefined), bytes, representation.contentKey);
    }
    const plan = planResponse(request, representation, nowMs);
    return memoryResponse(plan, representation) ?? this.#fromOpen(plan, representation);
  }

  /**
   * The response with the page at a path, or undefined if there is no page.
   *
   * @param path Decoded path; one that ends with `/` means an index file.
   * @param request Method and fields of the request.
   * @throws {Deno.errors.PermissionDenied} If the system denies reading the file.
   */
  async deliver(path: string, request: PageRequest): Promise<HttpResponse | undefined> {
    for (let look = 1; look <= LOOKS_MAX; look++) {
      const page = this.#pages.fresh(path, this.#nowMs()) ?? await this.#pages.look(path);
      if (page === undefined) return undefined;
      const response = this.fromMemory(page, request, this.#nowMs()) ??
        await this.#fromDisk(path, page, request, look === LOOKS_MAX);
      if (response !== undefined) return response;
      this.#pages.forget(path); // the file has changed since the page was made
    }
    return undefined;
  }

  #fromOpen(plan: ResponsePlan, { found, contentKey }: Representation): HttpResponse | undefined {
    if (plan.pieces === undefined) return undefined;
    const opened = this.#kept.take(found);
    if (opened === undefined) return undefined;
    return responseOf(plan, fileBody(opened, plan.pieces, this.#kept), contentKey);
  }

  async #fromDisk(
    path: string,
    page: Page,
    request: PageRequest,
    lastLook: boolean,
  ): Promise<HttpResponse | undefined> {
    const representation = chooseRepresentation(page, request.fields.acceptEncoding);
    // A file that changes at every look-up is streamed as it is now; it would never be stable enough to cache.
    if (representation.sizeBytes <= this.#hotFileMaxBytes && !lastLook) {
      const bytes = await readWhole(this.#root, representation, this.#nowMs());
      if (bytes === undefined) return undefined;
      this.#pages.recount(path, page);
      return memoryResponse(planResponse(request, representation, this.#nowMs()), representation);
    }
    const opened = await this.#root.open(representation.found);
    if (opened === undefined) return undefined;
    // The response announces the state of this handle, not that of the last look-up.
    const { found, options } = representation;
    const same = sameStamp(opened.stamp, found.stamp);
    return this.#stream(opened, same ? representation : represent(found, options, opened.stamp), request);
  }

  #stream(opened: OpenedFile, representation: Representation, request: PageRequest): HttpResponse {
    const plan = planResponse(request, representation, this.#nowMs());
    const { contentKey } = representation;
    if (plan.pieces !== undefined) return responseOf(plan, fileBody(opened, plan.pieces, this.#kept), contentKey);
    opened.release();
    return responseWithoutBody(plan, contentKey);
  }
}

/** Look-ups of a file that has changed each time, before it is sent in its current state. */
const LOOKS_MAX = 3;

function memoryResponse(plan: ResponsePlan, { bytes, contentKey }: Representation): HttpResponse | undefined {
  if (plan.pieces === undefined) return responseWithoutBody(plan, contentKey);
  return bytes === undefined ? undefined : responseOf(plan, memoryBody(bytes, plan.pieces), contentKey);
}

function responseWithoutBody(plan: ResponsePlan, contentKey: string | undefined): HttpResponse {
  return responseOf(plan, null, plan.status === 200 ? contentKey : undefined);
}

// Responses with the same members are read without asking which members they have.
function responseOf(
  { status, headers, passed }: ResponsePlan,
  body: ResponseBody,
  contentKey: string | undefined,
): HttpResponse {
  return { status, headers, body, contentKey, passed };
}
