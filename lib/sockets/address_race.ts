/**
 * Connecting to a host with several addresses: while one does not respond, the next is tried in parallel (RFC 8305,
 * section 5).
 *
 * @module
 */

import { StallTolerantTimer } from "../state/stall_tolerant_timer.ts";
import { shortageOf } from "../failure/shortage.ts";
import type { ConnectHandler, PendingConnect, Socket } from "./socket.ts";

/** Time after which the next address is tried while the last one is silent (RFC 8305, section 8). */
export const RACE_DELAY_MS = 250;

/** Starts a connection to one of the addresses. */
export type StartConnect = (address: string, handler: ConnectHandler) => PendingConnect;

/** Connects to the first of several addresses that responds. Owned by one dial. */
export class AddressRace {
  readonly #addresses: readonly string[];
  readonly #start: StartConnect;
  readonly #running = new Set<PendingConnect>();
  readonly #result = Promise.withResolvers<Socket>();
  #next = 0;
  #over = false;
  #failure: unknown;
  #timer: StallTolerantTimer | undefined;

  /** @param addresses In the order in which they are tried; at least one. */
  constructor(addresses: readonly string[], start: StartConnect) {
    this.#addresses = addresses;
    this.#start = start;
  }

  /**
   * The first connection, paused; the others are abandoned.
   *
   * @throws {Error} When all addresses failed: a shortage of this machine if there was one, else the first failure.
   */
  run(): Promise<Socket> {
    this.#tryNext();
    return this.#result.promise;
  }

  /** Abandons all connections. The promise of {@linkcode run} is not settled. */
  abandon(): void {
    this.#over = true;
    this.#timer?.stop();
    for (const connect of this.#running) connect.abandon();
    this.#running.clear();
  }

  #tryNext(): void {
    this.#timer?.stop();
    if (this.#over || this.#next >= this.#addresses.length) return;
    const connect = this.#start(this.#addresses[this.#next++], {
      connected: (socket) => this.#connected(connect, socket),
      refused: (error) => this.#refused(connect, error),
    });
    this.#running.add(connect);
    if (this.#next < this.#addresses.length) {
      this.#timer = new StallTolerantTimer(() => this.#tryNext(), RACE_DELAY_MS);
    }
  }

  #connected(connect: PendingConnect, socket: Socket): void {
    this.#running.delete(connect);
    this.abandon();
    // Its owner sets its handler first.
    socket.pause();
    this.#result.resolve(socket);
  }

  #refused(connect: PendingConnect, error: Error): void {
    this.#running.delete(connect);
    this.#failure = shortageOf(error) === undefined ? this.#failure ?? error : error;
    this.#tryNext();
    if (this.#running.size > 0) return;
    this.#over = true;
    this.#result.reject(this.#failure);
  }
}
