/**
 * WebSocket handshakes on routes that let nothing upgrade: they are forwarded as plain requests, and the log says why.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";

/** Tells the log of such handshakes of one site, once for each route. */
export class PlainHandshakes {
  readonly #site: string;
  readonly #log: Log | undefined;
  readonly #told = new Set<string>();

  /** @param site Name of the site. */
  constructor(site: string, log: Log | undefined) {
    this.#site = site;
    this.#log = log;
  }

  /** A handshake came for the route at `path`. */
  note(path: string): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    const message = "a WebSocket handshake is forwarded as a plain request: its route has no websocket = true";
    this.#log?.say("warn", message, { site: this.#site, route: path });
  }
}
