/**
 * The idle connections of all upstreams of a worker, which are closed first when file handles have run out.
 *
 * @module
 */

/** Pause after closing connections, before the dial is repeated. */
const PAUSE_MS = 20;
/**
 * How long the runtime may take to close a handle: it does so some turns of the event loop after the pending read
 * ended.
 */
const CLOSING_MS = 2000;

/** An owner of idle connections. */
export interface IdleHolder {
  /** Closes idle connections and returns their number. */
  releaseIdle(): number;
}

/** All owners of idle connections, of all generations. Owned by the process. */
export class IdleRelease {
  readonly #holders = new Set<IdleHolder>();
  #closedMs = -Infinity;

  /** Adds an owner, until it is closed. */
  add(holder: IdleHolder): void {
    this.#holders.add(holder);
  }

  /** Removes an owner that keeps no more connections. */
  delete(holder: IdleHolder): void {
    this.#holders.delete(holder);
  }

  /**
   * Closes all idle connections, and waits briefly if the runtime may still have handles to close.
   *
   * @returns Whether there were such handles, so that another try may succeed.
   */
  async release(): Promise<boolean> {
    let closed = 0;
    for (const holder of this.#holders) closed += holder.releaseIdle();
    const nowMs = performance.now();
    if (closed > 0) this.#closedMs = nowMs;
    else if (nowMs - this.#closedMs > CLOSING_MS) return false;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    return true;
  }
}
