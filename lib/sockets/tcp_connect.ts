/**
 * One TCP connection that is being opened, without the runtime's own way of giving up: `Deno.connect` with a signal that
 * fires in the turn in which it connects keeps the socket open for ever.
 *
 * @module
 */

import { closeQuietly } from "./wire.ts";

/** How long a connection that nobody waits for any more may still be opened, to be closed at once. */
const LINGER_MS = 250;

/** A connection that is being opened. */
export class TcpConnect {
  /** The connection. Not settled by {@linkcode abandon}. */
  readonly conn: Promise<Deno.TcpConn>;
  readonly #abort = new AbortController();
  #over = false;

  /** Begins to connect. `address` may be a name too, which the runtime then looks up. */
  constructor(address: string, port: number) {
    this.conn = Deno.connect({ hostname: address, port, signal: this.#abort.signal });
    this.conn.then(() => this.#over = true, () => this.#over = true);
  }

  /** Nobody waits for it any more: it is closed when it is open, and given up when it has hung for longer. */
  abandon(): void {
    this.conn.then(closeQuietly, () => {});
    if (this.#over) return;
    // By then a connection that the network answers has been opened and closed. One that hangs does not connect in the very
    // turn in which this fires.
    Deno.unrefTimer(setTimeout(() => this.#over || this.#abort.abort(), LINGER_MS) as unknown as number);
  }
}
