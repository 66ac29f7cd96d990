/**
 * A listening socket of the runtime.
 *
 * @module
 */

import { notifyAcceptFailed } from "./notify_failed.ts";
import { RuntimeSocket } from "./runtime_socket.ts";
import type { AcceptHandler, ListeningSocket, ListenTarget } from "./socket.ts";
import { closeQuietly } from "./wire.ts";

/** Pauses after connections that could not be accepted, in milliseconds; each failure in a row doubles it. */
const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 1000;

/**
 * Errors of one connection, which was lost before it was accepted, or which a firewall forbids. The runtime asks for the
 * client's address as it accepts, and that fails for a client that has reset the connection (ENOTCONN): a pause would let
 * any client stop the port from accepting.
 */
const OF_CONNECTION: ReadonlySet<unknown> = new Set(["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPROTO", "EPERM"]);

/** Accepts connections until it is closed. */
export class RuntimeListener implements ListeningSocket {
  readonly address: string;
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #handler: AcceptHandler;
  #closed = false;
  #pauseMs = FIRST_PAUSE_MS;
  #pause: ReturnType<typeof setTimeout> | undefined;

  /**
   * Opens it.
   *
   * @throws {Error} As `Deno.listen` does.
   */
  constructor({ address, port, shared }: ListenTarget, handler: AcceptHandler) {
    this.#handler = handler;
    // The option needs the runtime's unstable flag `net` even when it is false.
    const listener = shared
      ? Deno.listen({ hostname: address, port, reusePort: true })
      : Deno.listen({ hostname: address, port });
    this.#listener = listener;
    this.address = listener.addr.hostname;
    this.port = listener.addr.port;
    this.#accept();
  }

  retry(): void {
    if (this.#closed || this.#pause === undefined) return;
    clearTimeout(this.#pause);
    this.#resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#listener.close();
  }

  #accept(): void {
    this.#listener.accept().then(this.#accepted, this.#failed);
  }

  readonly #accepted = (conn: Deno.TcpConn): void => {
    if (this.#closed) return closeQuietly(conn);
    this.#pauseMs = FIRST_PAUSE_MS;
    const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
    const socket = new RuntimeSocket(conn, ipv4Form(hostname), port);
    try {
      // A response of several writes does not wait until the client has confirmed the first.
      conn.setNoDelay(true);
      this.#handler.accepted(socket);
    } catch (error) {
      socket.fail(error);
    }
    socket.begin();
    if (!this.#closed) this.#accept();
  };

  readonly #failed = (error: Error & { readonly code?: string }): void => {
    if (this.#closed) return;
    if (OF_CONNECTION.has(error.code)) return this.#accept();
    this.#pause = setTimeout(this.#resume, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
    notifyAcceptFailed(this.#handler, error);
  };

  readonly #resume = (): void => {
    this.#pause = undefined;
    this.#accept();
  };
}

// A socket of both families reports an IPv4 peer in IPv6 form.
function ipv4Form(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
