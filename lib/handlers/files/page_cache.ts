/**
 * Pages in memory. A page answers without a look at the file system for {@linkcode FRESH_MS} after the last one; then the
 * next request looks again, and those that come meanwhile wait for it. So what is sent was true at most that long ago,
 * whatever the load. Nothing is kept of paths that lead nowhere: a client that invents paths fills no memory.
 *
 * @module
 */

import type { Page } from "./page.ts";

/** For how many milliseconds a look at the file system counts. */
export const FRESH_MS = 250;

/** Looks a page up in the file system; `before` is what was known of it. */
export type FindPage = (path: string, before: Page | undefined) => Promise<Page | undefined>;

/** Keeps pages by path, up to a number of bytes. Owned by one file server. */
export class PageCache {
  #maxBytes: number;
  readonly #findPage: FindPage;
  readonly #kept = new Map<string, { page: Page; costBytes: number }>();
  readonly #looking = new Map<string, Promise<Page | undefined>>();
  #totalBytes = 0;

  /**
   * @param maxBytes Bytes of content and an estimate for the rest that are kept; 0 keeps nothing.
   * @param findPage Looks a page up.
   */
  constructor(maxBytes: number, findPage: FindPage) {
    this.#maxBytes = maxBytes;
    this.#findPage = findPage;
  }

  /** Bytes that count against the bound now. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /**
   * The page of a path if it is known and was looked at lately. Changes nothing, so a hit costs one look into a map.
   *
   * @param path Decoded path.
   * @param nowMs The current time in milliseconds since 1970.
   */
  fresh(path: string, nowMs: number): Page | undefined {
    const page = this.#kept.get(path)?.page;
    if (page === undefined) return undefined;
    const ageMs = nowMs - page.checkedAtMs;
    return ageMs >= 0 && ageMs < FRESH_MS ? page : undefined; // below 0: the clock was set back
  }

  /** Looks a page up now; callers for one path share one look. */
  look(path: string): Promise<Page | undefined> {
    const looking = this.#looking.get(path);
    if (looking !== undefined) return looking;
    const look = this.#findPage(path, this.#kept.get(path)?.page).then((page) => {
      this.forget(path);
      if (page !== undefined) this.#keep(path, page);
      return page;
    }).finally(() => this.#looking.delete(path));
    this.#looking.set(path, look);
    return look;
  }

  /** Counts a page again, because bytes of it were read. No effect on a page that is no longer kept. */
  recount(path: string, page: Page): void {
    if (this.#kept.get(path)?.page !== page) return;
    this.forget(path);
    this.#keep(path, page);
  }

  /** Drops a page: the next request looks again. */
  forget(path: string): void {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    this.#totalBytes -= kept.costBytes;
  }

  /** Drops all pages and keeps none from now on. */
  close(): void {
    this.#kept.clear();
    this.#totalBytes = 0;
    this.#maxBytes = 0;
  }

  /**
   * Puts a page last in line, and lets go of the first ones: a page in use comes here every {@linkcode FRESH_MS}, which
   * makes the order of the map that of last use without touching it on each hit.
   */
  #keep(path: string, page: Page): void {
    const costBytes = costOf(path, page);
    if (costBytes > this.#maxBytes) return;
    this.#kept.set(path, { page, costBytes });
    this.#totalBytes += costBytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#totalBytes <= this.#maxBytes) break;
      this.forget(oldest);
    }
  }
}

/** Objects, header lines and map entries of one representation, roughly, without its content. */
const REPRESENTATION_COST_BYTES = 2048;

function costOf(path: string, page: Page): number {
  let costBytes = path.length * 4;
  for (const { bytes } of [page.identity, ...page.coded]) costBytes += REPRESENTATION_COST_BYTES + (bytes?.length ?? 0);
  return costBytes;
}
