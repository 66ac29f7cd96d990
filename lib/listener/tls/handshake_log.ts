/**
 * Counts the TLS handshakes of a listener by their results, and logs those that fail.
 *
 * @module
 */

import type { Peer } from "../../http/message.ts";
import type { Log, LogLevel } from "../../log/log.ts";
import { countHandshake, type ListenerMetrics } from "../own/listener_metrics.ts";
import type { HandshakeResult } from "./handshake_result.ts";

/** A handshake that has ended. */
export interface EndedHandshake {
  readonly peer: Peer;
  /** Name that the client asked for; empty where that is not known. */
  readonly serverName: string;
}

/** Counts and logs. */
export class HandshakeLog {
  readonly #metrics: ListenerMetrics;
  readonly #log: Log | undefined;

  /** @param log Where failures are logged; undefined for nowhere. */
  constructor(metrics: ListenerMetrics, log: Log | undefined) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /**
   * A handshake has ended.
   *
   * @param detail Why, for the log.
   */
  ended(handshake: EndedHandshake, result: HandshakeResult, detail: string): void {
    countHandshake(this.#metrics, result);
    const level = LEVELS[result];
    if (level === undefined || this.#log?.writes(level) !== true) return;
    const { peer: { address, port }, serverName } = handshake;
    this.#log.log(level, "TLS handshake failed", {
      ...{ client: address, client_port: port, server_name: serverName, result, detail },
    });
  }
}

/** Those that this machine's operator can do something about are logged by default. */
const LEVELS: Readonly<Partial<Record<HandshakeResult, LogLevel>>> = {
  client: "debug",
  client_alert: "debug",
  client_certificate: "info",
  clear_http: "debug",
  malformed: "debug",
  incompatible: "info",
  unknown_name: "debug",
  no_certificate: "info",
  timeout: "debug",
  limit: "debug",
  internal: "error",
};
