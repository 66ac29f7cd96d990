/**
 * One connection that is being opened over the C library.
 *
 * @module
 */

import { notifyRefused } from "../notify_failed.ts";
import type { ConnectHandler, ConnectTarget, PendingConnect } from "../socket.ts";
import { AF_UNIX, type SocketAddress } from "./socket_address.ts";
import { EPOLLERR, EPOLLHUP, EPOLLOUT, type SocketLoop, type Watcher } from "./socket_loop.ts";
import { EINPROGRESS, EINTR, systemError } from "./system_error.ts";

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;

/** A connection that is being opened. */
export class LinuxConnect implements PendingConnect, Watcher {
  readonly #loop: SocketLoop;
  readonly #target: ConnectTarget;
  readonly #handler: ConnectHandler;
  /** -1 if there is none, or it is no longer this one's. */
  #descriptor = -1;
  #refusal: Error | undefined;
  #over = false;

  /** Begins to connect. */
  constructor(loop: SocketLoop, socketAddress: SocketAddress, target: ConnectTarget, handler: ConnectHandler) {
    this.#loop = loop;
    this.#target = target;
    this.#handler = handler;
    try {
      this.#open(socketAddress);
    } catch (error) {
      this.#refusal = error as Error;
      loop.defer(this);
    }
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#descriptor >= 0) this.#loop.close(this.#descriptor);
    this.#descriptor = -1;
  }

  ready(events: number): void {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) === 0) return;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
      const error = this.#loop.calls.getOption(this.#descriptor, SOL_SOCKET, SO_ERROR);
      if (error !== 0) {
        this.#refusal = systemError(Math.abs(error));
        return this.proceed();
      }
    }
    this.#over = true;
    const [address, port] = "path" in this.#target ? ["", 0] : [this.#target.address, this.#target.port];
    const socket = this.#loop.connectedSocket(this.#descriptor, address, port);
    this.#descriptor = -1;
    try {
      this.#handler.connected(socket);
    } catch (error) {
      socket.fail(error);
    }
    socket.begin(events);
  }

  proceed(): void {
    if (this.#over) return;
    this.abandon();
    notifyRefused(this.#handler, this.#refusal as Error);
  }

  #open(socketAddress: SocketAddress): void {
    const { calls } = this.#loop;
    if ("path" in this.#target) socketAddress.writePath(this.#target.path);
    else socketAddress.writeIp(this.#target.address, this.#target.port);
    const descriptor = calls.socket(socketAddress.family);
    if (descriptor < 0) throw systemError(-descriptor);
    try {
      // A small write is usually a whole message; Nagle's algorithm would only delay it.
      if (socketAddress.family !== AF_UNIX) calls.setOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
      const result = calls.connect(descriptor, socketAddress.place, socketAddress.bytes);
      if (result < 0 && result !== -EINPROGRESS && result !== -EINTR) throw systemError(-result);
      this.#loop.watchConnecting(descriptor, this);
      this.#descriptor = descriptor;
    } catch (error) {
      calls.close(descriptor);
      throw error;
    }
  }
}
