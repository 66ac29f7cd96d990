/**
 * WebSocket handshakes on routes without `websocket = true`: they are forwarded as plain requests, with a log line.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";

/** Logs such handshakes of one site, once for each route. */
export class PlainHandshakes {
  readonly #site: string;
  readonly #log: Log | undefined;
  readonly #logged = new Set<string>();

  /** @param site Name of the site. */
  constructor(site: string, log: Log | undefined) {
    this.#site = site;
    this.#log = log;
  }

  /** A handshake was received for the route at `path`. */
  note(path: string): void {
    if (this.#logged.has(path)) return;
    this.#logged.add(path);
    const message = "a WebSocket handshake is forwarded as a plain request: its route has no websocket = true";
    this.#log?.log("warn", message, { site: this.#site, route: path });
  }
}
