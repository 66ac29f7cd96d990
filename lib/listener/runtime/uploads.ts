/**
 * Request bodies that a server of the runtime is receiving. The server's shutdown breaks them, with the same error as when
 * the client leaves.
 *
 * @module
 */

/** A body that is being read. */
export interface Upload {
  /** From now on, the cause of a break is `reason`, and not that the client left. */
  cut(reason: string): void;
}

interface Waiter {
  readonly left: Set<Upload>;
  readonly resolve: () => void;
}

/** The uploads of one server. Owned by its port. */
export class Uploads {
  readonly #uploads = new Set<Upload>();
  readonly #waiters = new Set<Waiter>();

  /** Adds an upload. */
  add(upload: Upload): void {
    this.#uploads.add(upload);
  }

  /** Removes an upload that is complete, broken or cancelled. */
  delete(upload: Upload): void {
    this.#uploads.delete(upload);
    for (const waiter of this.#waiters) {
      waiter.left.delete(upload);
      if (waiter.left.size > 0) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Settles when the uploads that are under way now have ended. */
  ended(): Promise<void> {
    if (this.#uploads.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.add({ left: new Set(this.#uploads), resolve }));
  }

  /** Called before the server is shut down: `reason` is the cause of bodies that break then. */
  cut(reason: string): void {
    for (const upload of this.#uploads) upload.cut(reason);
  }
}
