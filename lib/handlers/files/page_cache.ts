/**
 * Pages in memory. A page is served without access to the file system for {@linkcode FRESH_MS} after the last check;
 * then the next request checks again, and concurrent requests wait for that check. A page in use is checked earlier,
 * so that no request waits. So the content that is sent was current at most that long ago, whatever the load. Paths
 * without a page are not cached: a client that invents paths cannot fill the memory.
 *
 * @module
 */

import type { Page } from "./page.ts";

/** How long a check of the file system is valid, in milliseconds. */
export const FRESH_MS = 250;
/** From then on a request begins the next check and does not wait for it. */
const RENEWED_MS = 200;

/** Looks a page up in the file system; `before` is the cached page, if any. */
export type FindPage = (path: string, before: Page | undefined) => Promise<Page | undefined>;

interface KeptPage {
  readonly page: Page;
  readonly costBytes: number;
  /** Whether its path would have an escape, if it were that of a request. */
  readonly escape: boolean;
}

/** Caches pages by path, up to a number of bytes. Owned by one file server. */
export class PageCache {
  #maxBytes: number;
  readonly #findPage: FindPage;
  readonly #kept = new Map<string, KeptPage>();
  readonly #looking = new Map<string, Promise<Page | undefined>>();
  #totalBytes = 0;

  /**
   * @param maxBytes Limit for the content and an estimate of the other memory of pages; 0 turns the cache off.
   * @param findPage Looks a page up.
   */
  constructor(maxBytes: number, findPage: FindPage) {
    this.#maxBytes = maxBytes;
    this.#findPage = findPage;
  }

  /** Bytes that count towards the limit now. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /**
   * The page of a path if it is cached and was checked recently. A hit costs one look-up in a map.
   *
   * @param path Decoded path.
   * @param nowMs The current time in milliseconds since 1970.
   */
  fresh(path: string, nowMs: number): Page | undefined {
    const kept = this.#kept.get(path);
    return kept && this.#fresh(path, kept, nowMs);
  }

  /**
   * As {@linkcode fresh}, for a path that is not decoded; undefined for one with an escape, which may mean another page.
   */
  freshRaw(path: string, nowMs: number): Page | undefined {
    const kept = this.#kept.get(path);
    return kept === undefined || kept.escape ? undefined : this.#fresh(path, kept, nowMs);
  }

  /** Looks a page up now; concurrent callers for one path share the look-up. */
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

  /** Updates the size of a page after bytes of it were read. No effect on a page that is no longer cached. */
  recount(path: string, page: Page): void {
    if (this.#kept.get(path)?.page !== page) return;
    this.forget(path);
    this.#keep(path, page);
  }

  /** Removes a page, so that the next request looks it up again. */
  forget(path: string): void {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    this.#totalBytes -= kept.costBytes;
  }

  /** Removes all pages, and caches none from now on. */
  close(): void {
    this.#kept.clear();
    this.#totalBytes = 0;
    this.#maxBytes = 0;
  }

  #fresh(path: string, { page }: KeptPage, nowMs: number): Page | undefined {
    const ageMs = nowMs - page.checkedAtMs;
    if (ageMs < 0 || ageMs >= FRESH_MS) return undefined; // below 0: the clock was set back
    // The request that finds the page too old reports the failure, if it lasts.
    if (ageMs >= RENEWED_MS && !this.#looking.has(path)) this.look(path).catch(() => {});
    return page;
  }

  /**
   * Adds a page as the most recently used, and removes the least recently used pages above the limit. A page in use is
   * added again with each check, which keeps the map in the order of last use without changing it on each hit.
   */
  #keep(path: string, page: Page): void {
    const costBytes = costOf(path, page);
    if (costBytes > this.#maxBytes) return;
    this.#kept.set(path, { page, costBytes, escape: path.includes("%") });
    this.#totalBytes += costBytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#totalBytes <= this.#maxBytes) break;
      this.forget(oldest);
    }
  }
}

/** Approximate memory of one representation without its content: objects, header lines and map entries. */
const REPRESENTATION_COST_BYTES = 2048;

function costOf(path: string, page: Page): number {
  let costBytes = path.length * 4;
  for (const { bytes } of [page.identity, ...page.coded]) costBytes += REPRESENTATION_COST_BYTES + (bytes?.length ?? 0);
  return costBytes;
}
