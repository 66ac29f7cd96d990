/**
 * A listening socket over the C library.
 *
 * @module
 */

import { notifyAcceptFailed } from "../notify_failed.ts";
import type { AcceptHandler, ListeningSocket, ListenTarget } from "../socket.ts";
import { AF_INET, AF_INET6, type SocketAddress } from "./socket_address.ts";
import type { LoopSocket, SocketLoop, Watcher } from "./socket_loop.ts";
import { EAFNOSUPPORT, EAGAIN, ECONNABORTED, EINTR, EMFILE, EPERM, EPROTO, systemError } from "./system_error.ts";

/** Pauses after connections that could not be accepted, in milliseconds; each failure in a row doubles it. */
const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 250;

/** Connections that are accepted in one turn. */
const ACCEPTS_PER_TURN = 64;
/** Connections that wait to be accepted; the kernel lowers it to net.core.somaxconn. */
const BACKLOG = 4096;

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** Errors of one connection, which was lost before it was accepted, or which a firewall forbids. */
const OF_CONNECTION: readonly number[] = [EINTR, ECONNABORTED, EPROTO, EPERM];

/** Accepts connections until it is closed. */
export class LinuxListener implements ListeningSocket, Watcher {
  readonly address: string;
  readonly port: number;
  readonly #loop: SocketLoop;
  readonly #peer: SocketAddress;
  readonly #handler: AcceptHandler;
  readonly #descriptor: number;
  readonly #mostHandles: number;
  /** Whether as many handles were open when a connection was last accepted. */
  #full = false;
  #closed = false;
  #pauseMs = FIRST_PAUSE_MS;
  #pause: ReturnType<typeof setTimeout> | undefined;

  /**
   * Opens it.
   *
   * @throws {Error} As `Deno.listen` does.
   */
  constructor(loop: SocketLoop, socketAddress: SocketAddress, target: ListenTarget, handler: AcceptHandler) {
    this.#loop = loop;
    this.#peer = socketAddress;
    this.#handler = handler;
    this.#mostHandles = target.mostHandles ?? Infinity;
    this.#descriptor = this.#open(target);
    try {
      const { calls } = loop;
      checked(calls.localAddress(this.#descriptor, socketAddress.place, socketAddress.lengthPlace()));
      socketAddress.read();
      this.address = socketAddress.address;
      this.port = socketAddress.port;
      loop.watchListening(this.#descriptor, this);
    } catch (error) {
      loop.calls.close(this.#descriptor);
      throw error;
    }
  }

  retry(): void {
    if (this.#pause === undefined) return;
    clearTimeout(this.#pause);
    this.#resume();
  }

  close(): void {
    if (this.#closed) return;
    // The system would reset what waits in the backlog.
    this.#full = false;
    if (this.#pause === undefined) this.#accept(BACKLOG);
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#loop.close(this.#descriptor);
  }

  ready(): void {
    if (this.#pause === undefined) this.#accept();
  }

  proceed(): void {
    if (!this.#closed && this.#pause === undefined) this.#accept();
  }

  #open({ address, port, shared }: ListenTarget): number {
    const { calls } = this.#loop;
    const socketAddress = this.#peer;
    socketAddress.writeIp(address, port);
    let descriptor = calls.socket(socketAddress.family);
    if (descriptor === -EAFNOSUPPORT && address === "::") {
      socketAddress.writeIp("0.0.0.0", port);
      descriptor = calls.socket(socketAddress.family);
    }
    checked(descriptor);
    try {
      checked(calls.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1));
      if (shared) checked(calls.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1));
      if (address === "::" && socketAddress.family === AF_INET6) {
        checked(calls.setOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0));
      }
      // Accepted connections inherit it.
      checked(calls.setOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1));
      checked(calls.bind(descriptor, socketAddress.place, socketAddress.bytes));
      checked(calls.listen(descriptor, BACKLOG));
      return descriptor;
    } catch (error) {
      calls.close(descriptor);
      throw error;
    }
  }

  #accept(most = ACCEPTS_PER_TURN): void {
    const { calls } = this.#loop;
    for (let accepts = 0; !this.#closed; accepts++) {
      if (accepts === most) return this.#loop.defer(this);
      if (this.#full && this.#lacksHandles()) return this.#fail(systemError(EMFILE));
      const descriptor = calls.accept(this.#descriptor, this.#peer.place, this.#peer.lengthPlace());
      if (descriptor >= 0) this.#take(descriptor);
      else if (descriptor === -EAGAIN) return;
      else if (!OF_CONNECTION.includes(-descriptor)) return this.#fail(systemError(-descriptor));
    }
  }

  // The system gives the lowest descriptor that is free: all below are open.
  #lacksHandles(): boolean {
    const { calls } = this.#loop;
    const free = calls.socket(AF_INET);
    if (free >= 0) calls.close(free);
    return this.#full = free < 0 || free >= this.#mostHandles;
  }

  #take(descriptor: number): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#full = descriptor + 1 >= this.#mostHandles;
    this.#peer.read();
    let socket: LoopSocket;
    try {
      socket = this.#loop.acceptedSocket(descriptor, this.#peer.address, this.#peer.port);
    } catch (error) {
      this.#loop.calls.close(descriptor);
      notifyAcceptFailed(this.#handler, error as Error);
      return;
    }
    try {
      this.#handler.accepted(socket);
    } catch (error) {
      socket.fail(error);
    }
    socket.begin(0);
  }

  #fail(error: Error): void {
    this.#pause = setTimeout(this.#resume, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
    notifyAcceptFailed(this.#handler, error);
  }

  readonly #resume = (): void => {
    this.#pause = undefined;
    this.#loop.defer(this);
  };
}

function checked(result: number): void {
  if (result < 0) throw systemError(-result);
}
