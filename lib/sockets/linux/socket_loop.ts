/**
 * The contract between the loop of a thread and what it gives events to: listening sockets, connections that are being
 * opened, and sockets.
 *
 * @module
 */

import type { Socket } from "../socket.ts";
import type { Arena } from "./arena.ts";
import type { SystemCalls } from "./system_calls.ts";

export const EPOLLIN = 0x1;
export const EPOLLPRI = 0x2;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 0x8000_0000 | 0;

/** What is called in the next turn after {@linkcode SocketLoop.defer}. It is not to throw. */
export interface Deferred {
  proceed(): void;
}

/** Whoever owns a descriptor that is watched. No function is to throw. */
export interface Watcher extends Deferred {
  /** Something happened to the descriptor: a set of EPOLLIN and so on. */
  ready(events: number): void;
}

/** A socket of the loop's driver, as seen by what opens it. */
export interface LoopSocket extends Socket {
  /**
   * Begins to read, once the owner has set its handler. Called from the loop.
   *
   * @param events Those that said that it has connected; 0 for one that was accepted.
   */
  begin(events: number): void;
  /** Ends the socket with an error, which the handler gets. Called from the loop. */
  fail(error: unknown): void;
}

/** The loop of one thread. The process stays alive while it has descriptors. */
export interface SocketLoop {
  readonly calls: SystemCalls;
  readonly arena: Arena;
  /** Set by sockets that have sent something, so that what they expect is waited for. */
  sent: boolean;
  /**
   * Watches a socket that listens: `ready` says that connections have come.
   *
   * @throws {Error} If the kernel has no memory for it.
   */
  watchListening(descriptor: number, watcher: Watcher): void;
  /**
   * Watches a socket that connects: `ready` says that it has connected, or failed.
   *
   * @throws {Error} If the kernel has no memory for it.
   */
  watchConnecting(descriptor: number, watcher: Watcher): void;
  /**
   * A socket over a descriptor that was accepted. The descriptor remains the caller's if this throws.
   *
   * @throws {Error} If the kernel has no memory for it.
   */
  acceptedSocket(descriptor: number, remoteAddress: string, remotePort: number): LoopSocket;
  /** A socket over a descriptor that was watched until it had connected. */
  connectedSocket(descriptor: number, remoteAddress: string, remotePort: number): LoopSocket;
  /** Forgets a watched descriptor and closes it. */
  close(descriptor: number): void;
  /** Calls `deferred` in the next turn. Once for each call. */
  defer(deferred: Deferred): void;
}
