/**
 * The open streams of one connection, and which of those that have closed may still get frames that were under way.
 *
 * @module
 */

import type { Http2Stream } from "./stream.ts";

/** Streams by their id. Owned by a connection. */
export class StreamTable {
  readonly #open = new Map<number, Http2Stream>();
  /** Ids of streams that closed last; negative where this side reset them. */
  #closed: Int32Array | undefined;
  #next = 0;

  /** Number of open streams. */
  get size(): number {
    return this.#open.size;
  }

  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream);
  }

  /** Open streams, oldest first. They may be removed meanwhile. */
  values(): IterableIterator<Http2Stream> {
    return this.#open.values();
  }

  /** @param reset Whether this side reset it, so that frames for it may be under way. */
  delete(stream: Http2Stream, reset: boolean): void {
    this.#open.delete(stream.id);
    const closed = this.#closed ??= new Int32Array(REMEMBERED);
    closed[this.#next] = reset ? -stream.id : stream.id;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** Whether a stream has closed lately, because this side reset it. */
  wasReset(id: number): boolean {
    return this.#closed?.includes(-id) === true;
  }

  /** Whether a stream has closed lately in another way. */
  hasEnded(id: number): boolean {
    return this.#closed?.includes(id) === true;
  }

  /** Notes a stream that was refused and never opened. */
  refused(id: number): void {
    (this.#closed ??= new Int32Array(REMEMBERED))[this.#next] = -id;
    this.#next = (this.#next + 1) % REMEMBERED;
  }
}

const REMEMBERED = 256;
