/**
 * Static files: from a request head to a response. A small file in use is served from memory, synchronously; a large
 * file is streamed from disk.
 *
 * Decided here: only GET, HEAD and OPTIONS are allowed; a folder is redirected to its path with a trailing slash with
 * 308, but only if something would be served there; a folder without an index file that must not be listed gives 404,
 * as does everything hidden, so that a 403 (which only the system causes) reveals nothing; errors have no body.
 *
 * @module
 */

import type { HttpResponse, RequestHead } from "../../http/message.ts";
import { slashLocation } from "../../http/slash_location.ts";
import { failureReason } from "./failure_reason.ts";
import { FileRoot, trimmedRoot } from "./file_root.ts";
import { readEntries } from "./folder_entries.ts";
import { listingResponse } from "./folder_listing.ts";
import type { FilesConfig } from "./files_schema.ts";
import { type FileWarning, FileWarnings } from "./file_warnings.ts";
import { readListingQuery } from "./listing_query.ts";
import { compileMediaTypes } from "./media_types.ts";
import { chooseRepresentation, findPage } from "./page.ts";
import { PageCache } from "./page_cache.ts";
import { PageDelivery } from "./page_delivery.ts";
import { type PageRequest, readRequestFields } from "./request_fields.ts";
import { type PathRules, readRequestPath } from "./request_path.ts";
import { compileTryFiles, type TryFiles } from "./try_files.ts";

/** Keys of a site's files that a file server reads. */
export type FolderConfig =
  & Pick<FilesConfig, "index_files" | "browse" | "try_files" | "dotfiles" | "follow_symlinks" | "precompressed">
  & Partial<Pick<FilesConfig, "media_types">>;

/** Options of a file server. */
export interface FileServerOptions {
  /**
   * Header lines for the decoded path of a file or folder below the root. Called when it is looked up, not for each
   * request.
   *
   * @default {undefined} None.
   */
  fileLines?: ((path: string) => readonly string[]) | undefined;
  /**
   * Whether only a file or folder at the path of a request may be served, and no fixed path of `try_files`. Called only
   * if the file is not in memory.
   *
   * @default {undefined} Never.
   */
  withoutFixed?: ((head: RequestHead) => boolean) | undefined;
  /**
   * Absolute path of a file that is never served: the config, which may have secrets.
   *
   * @default {undefined} None.
   */
  hiddenFile?: string | undefined;
  /**
   * Called once for each link that leads out of the folder, and for each precompressed neighbour that is not used because
   * it is older than its file: it was made from another content.
   *
   * @default {undefined} Not reported.
   */
  onWarning?: ((warning: FileWarning) => void) | undefined;
  /**
   * Size of the cache of small files in bytes; 0 turns it off.
   *
   * @default {33554432} 32 MiB
   */
  hotCacheBytes?: number | undefined;
  /**
   * Largest file that is cached, in bytes.
   *
   * @default {65536} 64 KiB
   */
  hotFileMaxBytes?: number | undefined;
  /**
   * The current time in milliseconds since 1970.
   *
   * @default {Date.now}
   */
  nowMs?: (() => number) | undefined;
}

/** How the file for a request was searched. */
export interface FileSearch {
  /** Paths below the root that were looked up, in order; the last one is served, if any is. */
  readonly tried: readonly string[];
  /** The file that would be served, without links; undefined if none would be. */
  readonly file: string | undefined;
}

/** Looks for the files of one route, in place of which there is something else. */
export interface FileLookUp {
  /** As {@linkcode FileServer.serve}; undefined where there is no such file, or the request is not for one. */
  find(head: RequestHead): HttpResponse | undefined | Promise<HttpResponse | undefined>;
  /** Finds out what {@linkcode find} would give. */
  explain(head: RequestHead): Promise<FileSearch>;
}

/** Serves the files of one folder. */
export interface FileServer {
  /**
   * Responds to a request: synchronously if the file is in memory and was checked in the last 250 ms. The caller owns
   * the header lines; bytes may be shared and must not be changed; a stream must be read to its end or cancelled.
   *
   * Rejects only if the file system fails in a way that no client can cause (an I/O error, no free handles).
   *
   * @param takesPassed Whether the response may have header lines in `HttpResponse.passed`.
   */
  serve(head: RequestHead, takesPassed?: boolean): HttpResponse | Promise<HttpResponse>;
  /** Finds the file that {@linkcode serve} would send. */
  explain(head: RequestHead): Promise<FileSearch>;
  /**
   * Looks for other candidates than {@linkcode serve}, in the same folder and memory.
   *
   * @param tryFiles Candidates, as in `try_files`. With a status at its end, that is found where no candidate is.
   */
  lookUp(tryFiles: readonly string[]): FileLookUp;
  /** Why {@linkcode serve} responded with an error, as text for the log. */
  reason(head: RequestHead, status: number): string;
  /** Frees the cache, and closes files that are kept open. Responses that are being sent continue. */
  close(): void;
}

/**
 * Creates a file server. It accesses no file before the first request.
 *
 * @param root Absolute path of the folder. It need not exist yet, and may be a link that is moved to another release.
 * @throws {TypeError} If `root` is not absolute or `try_files` is malformed.
 *
 * @example
 * ```ts
 * import { createFileServer } from "./file_server.ts";
 *
 * const files = createFileServer(Deno.cwd(), {
 *   ...{ index_files: ["index.html"], browse: false, try_files: ["$path", "/index.html"] },
 *   ...{ dotfiles: false, follow_symlinks: false, precompressed: true },
 * });
 * files.close();
 * ```
 */
export function createFileServer(root: string, config: FolderConfig, options: FileServerOptions = {}): FileServer {
  return new FolderServer(root, config, options);
}

/** Owns the cache of one root. */
class FolderServer implements FileServer {
  readonly #root: FileRoot;
  readonly #rules: PathRules;
  readonly #tryFiles: TryFiles;
  readonly #pages: PageCache;
  readonly #delivery: PageDelivery;
  readonly #browse: boolean;
  readonly #fileLines: ((path: string) => readonly string[]) | undefined;
  readonly #withoutFixed: ((head: RequestHead) => boolean) | undefined;
  readonly #nowMs: () => number;

  constructor(
    folder: string,
    config: FolderConfig,
    { hotCacheBytes = 32 * 1024 * 1024, hotFileMaxBytes = 64 * 1024, nowMs = Date.now, ...options }: FileServerOptions,
  ) {
    const windows = Deno.build.os === "windows";
    if (!(windows ? /^(?:[a-z]:[\\/]|\\\\)/i : /^\//).test(folder)) {
      throw new TypeError(`Cannot serve files: root is "${folder}", expected an absolute path`);
    }
    const { fileLines, onWarning } = options;
    const warnings = onWarning && new FileWarnings(trimmedRoot(folder), onWarning);
    const { follow_symlinks } = config;
    const root = new FileRoot(trimmedRoot(folder), {
      ...{ follow_symlinks, hiddenFile: options.hiddenFile, onOutside: (path) => warnings?.outside(path) },
    });
    const mediaTypeOf = compileMediaTypes(config.media_types);
    const pageOptions = { ...config, mediaTypeOf, fileLines, onStale: (stale: string) => warnings?.stale(stale) };
    const pages = new PageCache(
      hotCacheBytes,
      (path, before) => findPage(root, path, pageOptions, nowMs(), before),
    );
    this.#root = root;
    this.#rules = { dotfiles: config.dotfiles, windows };
    this.#tryFiles = compileTryFiles(config.try_files, this.#rules);
    this.#pages = pages;
    this.#delivery = new PageDelivery({ root, pages, hotFileMaxBytes, nowMs });
    this.#browse = config.browse;
    this.#fileLines = fileLines;
    this.#withoutFixed = options.withoutFixed;
    this.#nowMs = nowMs;
  }

  lookUp(tryFiles: readonly string[]): FileLookUp {
    const candidates = compileTryFiles(tryFiles, this.#rules);
    const refuses = tryFiles.at(-1)?.startsWith("=") === true;
    const fromDisk = (head: RequestHead, request: PageRequest, tried?: string[]) => {
      const path = readRequestPath(head.path, this.#rules);
      if (typeof path === "number") return refuses ? bare(path) : undefined;
      const missing = refuses ? bare(candidates.missingStatus) : undefined;
      return this.#first(candidates.candidates(path), path, { head, request, tried, missing });
    };
    return {
      find: (head) => {
        if (head.method !== "GET" && head.method !== "HEAD") return undefined;
        const request = { method: head.method, fields: readRequestFields(head.headers), takesPassed: false };
        return this.#fromMemory(head, request, candidates) ?? fromDisk(head, request);
      },
      explain: (head) => this.#explain(head, fromDisk),
    };
  }

  serve(head: RequestHead, takesPassed = false): HttpResponse | Promise<HttpResponse> {
    if (head.method !== "GET" && head.method !== "HEAD") {
      return { status: head.method === "OPTIONS" ? 204 : 405, headers: ["allow", ALLOW], body: null };
    }
    const request = { method: head.method, fields: readRequestFields(head.headers), takesPassed };
    return this.#fromMemory(head, request, this.#tryFiles) ?? this.#serveFromDisk(head, request);
  }

  explain(head: RequestHead): Promise<FileSearch> {
    return this.#explain(head, (asked, request, tried) => this.#serveFromDisk(asked, request, tried));
  }

  reason(head: RequestHead, status: number): string {
    return failureReason(head, status, this.#rules);
  }

  close(): void {
    this.#delivery.close();
    this.#pages.close();
  }

  #fromMemory(head: RequestHead, request: PageRequest, tryFiles: TryFiles): HttpResponse | undefined {
    // Pages are cached by decoded path. If the path itself is not the first candidate, another file may take precedence.
    if (!tryFiles.pathFirst) return undefined;
    const nowMs = this.#nowMs();
    const page = this.#pages.freshRaw(head.path, nowMs);
    return page && this.#delivery.fromMemory(page, request, nowMs);
  }

  async #explain(
    head: RequestHead,
    look: (
      head: RequestHead,
      request: PageRequest,
      tried: string[],
    ) => HttpResponse | undefined | Promise<HttpResponse | undefined>,
  ): Promise<FileSearch> {
    const tried: string[] = [];
    if (head.method !== "GET" && head.method !== "HEAD") return { tried, file: undefined };
    const request = { method: "HEAD", fields: readRequestFields(head.headers), takesPassed: false };
    const status = (await look({ ...head, method: "HEAD" }, request, tried))?.status ?? 404;
    const served = status < 400 && status !== 308 ? tried.at(-1) : undefined;
    const page = served === undefined ? undefined : await this.#pages.look(served);
    return { tried, file: page && chooseRepresentation(page, request.fields.acceptEncoding).found.realPath };
  }

  #serveFromDisk(head: RequestHead, request: PageRequest, tried?: string[]): HttpResponse | Promise<HttpResponse> {
    const path = readRequestPath(head.path, this.#rules);
    if (typeof path === "number") return bare(path);
    const withoutFixed = this.#withoutFixed?.(head) === true;
    const candidates = this.#tryFiles.candidates(path, !withoutFixed);
    const missing = bare(withoutFixed ? 404 : this.#tryFiles.missingStatus);
    return this.#first(candidates, path, { head, request, tried, missing });
  }

  /** The response with the first candidate that is there; `missing` where none is. */
  async #first<Missing>(
    candidates: readonly string[],
    path: string,
    { head, request, tried, missing }: {
      head: RequestHead;
      request: PageRequest;
      tried: string[] | undefined;
      missing: Missing;
    },
  ): Promise<HttpResponse | Missing> {
    try {
      for (const candidate of candidates) {
        tried?.push(candidate);
        const response = candidate === `${path}/` && slashLocation(head) !== undefined
          ? await this.#redirect(candidate, head)
          : await this.#delivery.deliver(candidate, request) ?? await this.#list(head, candidate);
        if (response !== undefined) return response;
      }
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) return bare(403);
      throw error;
    }
    return missing;
  }

  /** A redirect to the path of a folder, with which its relative links work, if something is served there. */
  async #redirect(folderPath: string, head: RequestHead): Promise<HttpResponse | undefined> {
    const folder = await this.#root.find(folderPath.slice(0, -1));
    if (folder?.kind !== "folder") return undefined;
    const page = this.#pages.fresh(folderPath, this.#nowMs()) ?? await this.#pages.look(folderPath);
    if (page === undefined && !this.#browse) return undefined;
    // The resolved path begins with one slash followed by a name, so it cannot lead to another host.
    const { original } = head;
    const location = original === undefined
      ? encodeURI(folderPath).replace(/[?#]/g, encodeURIComponent)
      : slashLocation(head);
    const { query } = original ?? head;
    return { status: 308, headers: ["location", location + encodeQuery(query)], body: null };
  }

  async #list(head: RequestHead, path: string): Promise<HttpResponse | undefined> {
    if (!this.#browse || !path.endsWith("/")) return undefined;
    const folder = await this.#root.find(path);
    if (folder?.kind !== "folder") return undefined;
    const entries = await readEntries(this.#root, folder, this.#rules);
    const query = readListingQuery(head.query);
    const response = listingResponse({ path, entries, query, lines: this.#fileLines?.(path) ?? [] }, head.headers);
    return head.method === "HEAD" ? { ...response, body: null } : response;
  }
}

/** Queries are passed on unchanged, except that characters which a field value must not contain are percent-encoded. */
function encodeQuery(query: string): string {
  return query.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

const ALLOW = "GET, HEAD, OPTIONS";

function bare(status: number): HttpResponse {
  return { status, headers: [], body: null };
}
