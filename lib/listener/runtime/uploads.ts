/**
 * Request bodies that a server of the runtime is receiving: the server's shutdown breaks them, with the error that they have
 * when the client leaves.
 *
 * @module
 */

/** A body that is read, and not yet at its end. */
export interface Upload {
  /** If it breaks from now on, that is for `reason`, and not because the client left. */
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

  /** An upload begins. */
  add(upload: Upload): void {
    this.#uploads.add(upload);
  }

  /** An upload is complete, broken, or not wanted any more. */
  delete(upload: Upload): void {
    this.#uploads.delete(upload);
    for (const waiter of this.#waiters) {
      waiter.left.delete(upload);
      if (waiter.left.size > 0) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Settles when those have ended that are under way now. */
  ended(): Promise<void> {
    if (this.#uploads.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.add({ left: new Set(this.#uploads), resolve }));
  }

  /** To be called before the server is shut down: bodies that break then do so for `reason`. */
  cut(reason: string): void {
    for (const upload of this.#uploads) upload.cut(reason);
  }
}
