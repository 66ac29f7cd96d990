/**
 * The connection of one probe: of HTTP/1.1 or HTTP/2, as the upstream speaks it.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { type Endpoint, speaksHttp2 } from "../../sockets/endpoint.ts";
import type { Socket } from "../../sockets/socket.ts";
import { CoarseClock } from "../../state/coarse_clock.ts";
import { Connection } from "../connection/connection.ts";
import type { LentConnection } from "../connection/lent_connection.ts";
import { SharedConnection } from "../http2/shared_connection.ts";

/** A connection for one request. Owned by its probe, which closes it. */
export class ProbeConnection {
  /** Where the request is sent. */
  lent: LentConnection | undefined;
  #shared: SharedConnection | undefined;

  /** Takes over `socket`. Resolves when a request can be sent. */
  async open(socket: Socket, endpoint: Endpoint): Promise<LentConnection> {
    if (!speaksHttp2(endpoint, socket.tls?.protocol)) {
      return this.lent = new Connection(socket, CLOCK, LIMITS, () => {});
    }
    this.#shared = new SharedConnection(socket, CLOCK, LIMITS, { changed() {}, retired() {} });
    try {
      await this.#shared.settled;
    } catch (error) {
      throw new TransportFailure("connect", `Cannot speak HTTP/2: ${(error as Error).message}`, error);
    }
    return this.lent = this.#shared.lend();
  }

  /** Ends the request with `failure`. */
  abort(failure: TransportFailure): void {
    this.lent?.abort(failure);
    this.#shared?.abort(failure);
  }

  /** Closes it. */
  close(): void {
    this.lent?.close();
    this.#shared?.close();
  }
}

/** The probe's own timer limits all steps together: the connection needs no deadlines. */
const LIMITS = {
  readTimeoutMs: Infinity,
  writeTimeoutMs: Infinity,
  clientTimeoutMs: Infinity,
  idle_timeout: 0,
  maxHeadBytes: 64 * 1024,
  max_streams: 1,
  ping_interval: 0,
};
const CLOCK = new CoarseClock(60_000);
