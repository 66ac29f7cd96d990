/**
 * The end of a connection: the last bytes are sent, and what the client still sends is read past for a while. A socket
 * that is closed with unread bytes resets the connection, which may take the response away from the client before it
 * is read (RFC 9112, section 9.6).
 *
 * @module
 */

import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import type { CloseCause } from "./close_cause.ts";

/** The connection that ends. */
export interface EndingConnection {
  readonly socket: Socket;
  /** Closes it. */
  close(cause: CloseCause): void;
}

/** How a connection ends. */
export interface LastBytesOptions {
  readonly cause: CloseCause;
  /** Whether it waits until the client has closed, so that the client can read the response. */
  readonly linger: boolean;
  /** Whether it ends with a reset, so that a body that lasts until the end of the connection does not look complete. */
  readonly reset: boolean;
}

/** Handles the events of a connection from its last response on. */
export class LastBytes implements SocketHandler {
  readonly #connection: EndingConnection;
  readonly #options: LastBytesOptions;
  #bytes = 0;
  #ended = false;

  constructor(connection: EndingConnection, options: LastBytesOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Takes over the socket. The connection may be closed before this returns. */
  begin(): void {
    const { socket } = this.#connection;
    const { linger } = this.#options;
    if (!linger && socket.queuedBytes === 0) return this.#close();
    socket.handler = this;
    socket.resume();
    if (linger) socket.end();
  }

  received(_bytes: Uint8Array, start: number, end: number): void {
    this.#bytes += end - start;
    // Not closed, as the rest would reset the connection: a client that sends fast would fail before it has read the response.
    if (this.#bytes > MAX_LINGER_BYTES) this.#connection.socket.pause();
  }

  drained(): void {
    if (!this.#options.linger || this.#ended) this.#close();
  }

  ended(): void {
    this.#ended = true;
    if (this.#connection.socket.queuedBytes === 0) this.#close();
  }

  failed(): void {
    this.#close();
  }

  #close(): void {
    const { cause, reset } = this.#options;
    if (reset) this.#connection.socket.reset();
    this.#connection.close(cause);
  }
}

/** Longest wait for the client to close, once it has taken the last bytes. */
export const LINGER_MS = 2000;
/** Bytes that are read past. What follows waits in the client's system until the connection is closed. */
const MAX_LINGER_BYTES = 1024 * 1024;
