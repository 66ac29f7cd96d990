/**
 * The idle connections of all upstreams of a worker: what is closed first when file handles have run out.
 *
 * @module
 */

/** How long the runtime takes to close handles; a single turn of the event loop was not enough. */
const CLOSING_MS = 20;

/** One that keeps idle connections. */
export interface IdleHolder {
  /** Closes what idles. */
  releaseIdle(): void;
}

/** All that keep idle connections. Owned by the process, over all its generations. */
export class IdleConnections {
  readonly #holders = new Set<IdleHolder>();

  /** Adds one, until it is closed. */
  add(holder: IdleHolder): void {
    this.#holders.add(holder);
  }

  /** Takes one out, which keeps nothing any more. */
  delete(holder: IdleHolder): void {
    this.#holders.delete(holder);
  }

  /** Closes all that idle. Settles when the system has their handles back. */
  async release(): Promise<void> {
    for (const holder of this.#holders) holder.releaseIdle();
    // The runtime closes a handle some turns later, once the read that waits on it has been cancelled.
    await new Promise((resolve) => setTimeout(resolve, CLOSING_MS));
  }
}
