/**
 * A port that the runtime's server serves, opened again whenever it closes.
 *
 * @module
 */

import type { Port, PortOptions, PortStatus, PortTarget } from "../listener/port.ts";
import { respond } from "../listener/runtime/adapter.ts";
import type { Middleware } from "../listener/middleware.ts";
import { respondToWebRequest } from "../listener/runtime/web_requests.ts";
import type { Entry } from "../listener/runtime/request_reader.ts";
import { ServingPort } from "../listener/runtime/serving_port.ts";

/** A port of the runtime's server. */
export class RuntimePort implements Port {
  readonly shutdownWaits = false;
  readonly #port: ServingPort;
  #entry: Entry;
  #middleware: readonly Middleware[];

  /**
   * Opens the port.
   *
   * @throws {Error} Whatever the runtime throws when it cannot.
   */
  constructor({ responder, middleware = [] }: PortTarget, options: PortOptions) {
    this.#entry = { responder, ownPort: true, scheme: "http" };
    this.#middleware = middleware;
    this.#port = new ServingPort({
      ...options,
      handler: (request, info, uploads) => {
        const entry = this.#entry;
        if (this.#middleware.length === 0) return respond(request, info, entry, uploads);
        return respondToWebRequest(this.#middleware, request, { info, uploads, entryOf: () => entry });
      },
    });
  }

  get address(): Deno.NetAddr {
    return this.#port.address;
  }

  get status(): PortStatus {
    return this.#port.status;
  }

  serve({ responder, middleware = [] }: PortTarget): void {
    this.#entry = { responder, ownPort: true, scheme: "http" };
    this.#middleware = middleware;
  }

  uploadsEnded(): Promise<void> {
    return this.#port.uploadsEnded();
  }

  /** Closes idle connections, by closing the port and opening it again. */
  closeIdle(): void {
    this.#port.closeIdle();
  }

  shutdown(): Promise<void> {
    return this.#port.shutdown();
  }

  abort(): Promise<void> {
    return this.#port.abort();
  }
}
