/**
 * Watches the number of open files and sockets of the process, so that idle connections of clients are closed before no new
 * one can be accepted. Each thread with ports has a watch, and closes its share.
 *
 * @module
 */

import { openFileCount, openFileLimit } from "./open_files.ts";

/** Options of {@linkcode OpenFileWatch}. */
export interface OpenFileWatchOptions {
  /**
   * Closes idle connections, the longest idle first.
   *
   * @param most How many.
   * @returns How many were closed.
   */
  readonly close: (most: number) => number;
  /** Called when connections were closed, once a minute at the most. */
  readonly onClosed: (facts: { readonly open: number; readonly limit: number; readonly closed: number }) => void;
  /** Threads with ports. */
  readonly threads: number;
  /**
   * How many files and sockets may be open.
   *
   * @default {that of the process}
   */
  readonly limit?: number | undefined;
  /**
   * How many are open; undefined where unknown.
   *
   * @default {that of the process}
   */
  readonly count?: () => number | undefined;
  /**
   * Time between two looks, in milliseconds.
   *
   * @default {250}
   */
  readonly intervalMs?: number;
}

/** A watch. Owned by a server. */
export class OpenFileWatch {
  readonly #options: OpenFileWatchOptions;
  readonly #limit: number;
  readonly #count: () => number | undefined;
  readonly #intervalMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldMs = -Infinity;

  /** Begins to watch, where the limit is known. */
  constructor(options: OpenFileWatchOptions) {
    const { limit = openFileLimit(), count = openFileCount, intervalMs = INTERVAL_MS } = options;
    this.#options = options;
    this.#limit = limit ?? Infinity;
    this.#count = count;
    this.#intervalMs = intervalMs;
    if (this.#limit < Infinity) this.#wait(intervalMs);
  }

  /** Handles with which a client is accepted: the others are left for connections to upstreams, and files. */
  get mostOfClients(): number {
    return this.#limit - Math.min(Math.ceil(this.#limit * (1 - NEAR)), MOST_LEFT);
  }

  /** Closes its share of idle connections at once: there are no handles left for new ones. Returns how many were closed. */
  makeRoom(): number {
    return this.#close(this.#count() ?? 0);
  }

  /** Ends it. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #look(): void {
    const startMs = performance.now();
    const open = this.#count();
    // It will not be known later either.
    if (open === undefined) return;
    // Where the files have to be counted one by one, they are counted more rarely.
    this.#wait(Math.max(this.#intervalMs, 100 * (performance.now() - startMs)));
    if (open > this.#limit * NEAR) this.#close(open);
  }

  #close(open: number): number {
    const { close, onClosed, threads } = this.#options;
    const most = Math.ceil((open - this.#limit * ENOUGH) / threads);
    const closed = most > 0 ? close(most) : 0;
    const nowMs = performance.now();
    if (closed === 0 || nowMs - this.#toldMs < TOLD_MS) return closed;
    this.#toldMs = nowMs;
    onClosed({ open, limit: this.#limit, closed });
    return closed;
  }
}

const INTERVAL_MS = 250;
const TOLD_MS = 60_000;
/** Share of the limit from which connections are closed, and the share that is to be left. */
const NEAR = 0.9;
const ENOUGH = 0.85;
/** Most handles that are left where the limit is high. */
const MOST_LEFT = 1000;
