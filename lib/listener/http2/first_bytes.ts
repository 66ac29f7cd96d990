/**
 * The beginning of a connection in clear: a client that begins with the preface of HTTP/2 speaks it by prior knowledge
 * (RFC 9113, section 3.3), every other one HTTP/1.1.
 *
 * @module
 */

import type { Peer } from "../../http/message.ts";
import { PREFACE } from "../../http2/frame.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import { ClientConnection } from "../own/client_connection.ts";
import type { CloseCause } from "../own/close_cause.ts";
import type { ListenerConnection } from "../own/listener_connection.ts";
import type { ListenerParts } from "../own/listener_parts.ts";
import { Http2ClientConnection } from "./http2_client_connection.ts";

/** Takes over an accepted socket, in the protocol that its TLS session or its first bytes tell. */
export function beginConnection(socket: Socket, peer: Peer, parts: ListenerParts): ListenerConnection {
  if (socket.tls === undefined) return new FirstBytes(socket, peer, parts);
  return socket.tls.protocol === "h2"
    ? new Http2ClientConnection(socket, peer, parts)
    : new ClientConnection(socket, peer, parts);
}

/** Waits for as many bytes as tell the protocol, usually one. */
class FirstBytes implements ListenerConnection, SocketHandler {
  readonly peer: Peer;
  tableIndex = -1;
  readonly #socket: Socket;
  readonly #parts: ListenerParts;
  readonly #sinceMs: number;
  /** Bytes of the preface that have arrived. */
  #matched = 0;
  #draining = false;

  constructor(socket: Socket, peer: Peer, parts: ListenerParts) {
    this.peer = peer;
    this.#socket = socket;
    this.#parts = parts;
    this.#sinceMs = parts.clock.nowMs;
    socket.handler = this;
  }

  get idleSinceMs(): number {
    return this.#matched === 0 ? this.#sinceMs : -1;
  }

  get awaitedSinceMs(): number {
    return this.#sinceMs;
  }

  get used(): boolean {
    return false;
  }

  get tunnelled(): boolean {
    return false;
  }

  drain(): void {
    this.#draining = true;
  }

  close(cause: CloseCause): void {
    this.#socket.close();
    this.#parts.onClose(this, cause);
  }

  tick(nowMs: number): void {
    const { header_timeout } = this.#parts.limits;
    if (header_timeout > 0 && nowMs - this.#sinceMs > header_timeout) this.close("header_timeout");
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const held = this.#matched;
    let at = start;
    while (at < end && this.#matched < PREFACE.length && bytes[at] === PREFACE[this.#matched]) {
      at++;
      this.#matched++;
    }
    const whole = this.#matched === PREFACE.length;
    if (at === end && !whole) return;
    const connection = whole
      ? new Http2ClientConnection(this.#socket, this.peer, this.#parts)
      : new ClientConnection(this.#socket, this.peer, this.#parts);
    this.#parts.onChosen(this, connection);
    if (this.#draining) connection.drain();
    if (held > 0) connection.received(PREFACE.slice(0, held), 0, held);
    if (!this.#socket.closed) this.#socket.handler.received(bytes, start, end);
  }

  drained(): void {}

  ended(): void {
    this.close("client");
  }

  failed(): void {
    this.close("client");
  }
}
