/**
 * One TCP connection that is being opened. It is not aborted with the runtime's signal: `Deno.connect` leaks the socket
 * when the signal fires in the turn of the event loop in which it connects.
 *
 * @module
 */

import { closeQuietly } from "./wire.ts";

/** How long an abandoned connection may still be opened, to be closed at once. */
const LINGER_MS = 250;

/** A connection that is being opened. */
export class TcpConnect {
  /** The connection. Not settled by {@linkcode abandon}. */
  readonly conn: Promise<Deno.TcpConn>;
  readonly #abort = new AbortController();
  #over = false;
  #linger: number | undefined;

  /** Begins to connect. `address` may be a name too, which the runtime then looks up. */
  constructor(address: string, port: number) {
    this.conn = Deno.connect({ hostname: address, port, signal: this.#abort.signal });
    const end = () => {
      this.#over = true;
      clearTimeout(this.#linger);
    };
    this.conn.then(end, end);
  }

  /** Abandons the connection: it is closed once it is open, and aborted if it is not open after a while. */
  abandon(): void {
    this.conn.then(closeQuietly, () => {});
    if (this.#over) return;
    // By then a connection to a reachable address has been opened and closed. One that hangs does not connect in the
    // same turn of the event loop.
    this.#linger = setTimeout(() => this.#abort.abort(), LINGER_MS) as unknown as number;
    Deno.unrefTimer(this.#linger);
  }
}
