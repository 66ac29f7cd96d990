/**
 * Requests with a body that a server of the runtime has accepted, until they are answered: the server's shutdown breaks what
 * is still arriving.
 *
 * @module
 */

import { noteCut } from "./cut_bodies.ts";

/** The uploads of one server. Owned by its port. */
export class Uploads {
  readonly #requests = new Map<Promise<void>, Request>();

  /** Keeps `request` in mind until it is answered. */
  add(request: Request, { completed }: Deno.ServeHandlerInfo): void {
    const ended = completed.catch(() => {}).finally(() => this.#requests.delete(ended));
    this.#requests.set(ended, request);
  }

  /** Settles when those have ended that are under way now. */
  async ended(): Promise<void> {
    await Promise.all(this.#requests.keys());
  }

  /** To be called before the server is shut down: bodies that break then do so for `reason`. */
  cut(reason: string): void {
    for (const request of this.#requests.values()) {
      try {
        if (request.body !== null) noteCut(request.body, reason);
      } catch {
        // The runtime gives no body of a request that has just been answered.
      }
    }
  }
}
