/**
 * The idle connections of all upstreams of a worker: what is closed first when file handles have run out.
 *
 * @module
 */

/** Pause after closing connections, before a handle is asked for again. */
const PAUSE_MS = 20;
/**
 * How long the runtime may take to close a handle: it does so some turns of the event loop later, once the read that waits
 * on it has been cancelled.
 */
const CLOSING_MS = 2000;

/** One that keeps idle connections. */
export interface IdleHolder {
  /** Closes what idles, and tells how many connections that were. */
  releaseIdle(): number;
}

/** All that keep idle connections. Owned by the process, over all its generations. */
export class IdleRelease {
  readonly #holders = new Set<IdleHolder>();
  #closedMs = -Infinity;

  /** Adds one, until it is closed. */
  add(holder: IdleHolder): void {
    this.#holders.add(holder);
  }

  /** Takes one out, which keeps nothing any more. */
  delete(holder: IdleHolder): void {
    this.#holders.delete(holder);
  }

  /**
   * Closes all that idle, and waits a little when there are handles that the runtime may be about to close.
   *
   * @returns Whether there are: another try may find a handle.
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
