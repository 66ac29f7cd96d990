/**
 * A connection of a trusted proxy that must begin with a header of the PROXY protocol.
 *
 * @module
 */

import { ByteWindow } from "../../http1/byte_window.ts";
import { shown } from "../../http1/octets.ts";
import type { Peer } from "../../http/message.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import { readProxyHeader } from "./proxy_header.ts";

/** Takes over what stands behind the header. */
export interface ProxiedSocketOwner {
  /** The header was read; `peer` is undefined where it names none. Sets another handler of the socket, or closes it. */
  proxied(proxied: ProxiedSocket, peer: Peer | undefined): void;
  /**
   * There was no header, or it did not arrive in time. The socket is closed.
   *
   * @param detail What was wrong, for the log; undefined where the peer or BWS closed the connection before.
   */
  unproxied(proxied: ProxiedSocket, detail?: string): void;
}

/** Waits for the header of one connection. Owned by its listener. */
export class ProxiedSocket implements SocketHandler, Watched {
  readonly socket: Socket;
  readonly #owner: ProxiedSocketOwner;
  readonly #clock: CoarseClock;
  readonly #deadlineMs: number;
  #window: ByteWindow | undefined;

  constructor(socket: Socket, owner: ProxiedSocketOwner, clock: CoarseClock) {
    this.socket = socket;
    this.#owner = owner;
    this.#clock = clock;
    clock.watch(this);
    this.#deadlineMs = clock.nowMs + HEADER_TIMEOUT_MS;
    socket.handler = this;
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (this.#window === undefined) return this.#read(bytes, start, end);
    this.#window.append(bytes, start, end);
    this.#read(this.#window.bytes, this.#window.start, this.#window.end);
  }

  drained(): void {}

  ended(): void {
    this.close();
  }

  failed(): void {
    this.close();
  }

  tick(nowMs: number): void {
    if (nowMs > this.#deadlineMs) this.close(`it did not arrive within ${HEADER_TIMEOUT_MS / 1000} s`);
  }

  /** Closes it. */
  close(detail?: string): void {
    this.#clock.unwatch(this);
    this.socket.close();
    this.#owner.unproxied(this, detail);
  }

  #read(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const header = readProxyHeader(bytes, start, end);
    if (header === "malformed") return this.close(`the connection begins with "${beginOf(bytes, start, end)}"`);
    if (header === "incomplete") {
      if (this.#window === undefined) (this.#window = new ByteWindow(WINDOW_BYTES)).append(bytes, start, end);
      return;
    }
    this.#clock.unwatch(this);
    this.#owner.proxied(this, header.peer);
    const at = start + header.length;
    if (at < end && !this.socket.closed) this.socket.handler.received(bytes, at, end);
  }
}

/** The first line, or what there is of it, without a query, which may hold secrets. */
function beginOf(bytes: Uint8Array, start: number, end: number): string {
  const begin = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + MOST_SHOWN)));
  return shown(/^[^\r\n?]*/.exec(begin)?.[0] || begin);
}

const MOST_SHOWN = 60;
/** A proxy sends its header at once. */
const HEADER_TIMEOUT_MS = 3000;
const WINDOW_BYTES = 128;
