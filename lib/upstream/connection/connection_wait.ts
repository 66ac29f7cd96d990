/**
 * The wait for a connection to an upstream: for its turn in the dial queue, or for a connection that is released
 * meanwhile.
 *
 * @module
 */

import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import type { DialEntry, DialQueue } from "./dial_queue.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { LentConnection } from "./lent_connection.ts";
import type { Socket } from "../../sockets/socket.ts";

/** Options of a wait. */
export interface ConnectionWaitOptions {
  /** Longest time in the dial queue, and then for the dial, in milliseconds; Infinity for no limit. */
  readonly timeoutMs: number;
  /** Called when the dial begins. */
  readonly onDialling?: () => void;
  /** Called when the dial fails after {@linkcode ConnectionWait.leave}: the failure still counts. */
  readonly onLateFailure?: (failure: TransportFailure) => void;
}

/** The functions of its connection pool that a wait uses. */
export interface ConnectionWaitContext {
  readonly queue: DialQueue;
  readonly dial: (timeoutMs: number) => Promise<Socket>;
  /** Makes the connection over a new socket. May throw. */
  readonly open: (socket: Socket) => LentConnection;
  /** Takes a socket that is no longer awaited. */
  readonly spare: (socket: Socket) => void;
  /** The dial of this wait has failed. */
  readonly refused: (failure: unknown) => void;
}

/** One wait. Owned by the attempt that waits. */
export class ConnectionWait implements DialEntry {
  /**
   * The connection.
   *
   * @throws {TransportFailure} `connect`, `connect_timeout`, `shortage`, `dial_queue`, `dropped`, or `client_left`
   * after {@linkcode leave}.
   */
  readonly result: Promise<LentConnection>;
  readonly #options: ConnectionWaitOptions;
  readonly #context: ConnectionWaitContext;
  #resolve: (connection: LentConnection) => void = () => {};
  #reject: (failure: unknown) => void = () => {};
  #settled = false;
  #started = false;
  #timer: StallTolerantTimer | undefined;

  constructor(options: ConnectionWaitOptions, context: ConnectionWaitContext) {
    this.#options = options;
    this.#context = context;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    context.queue.add(this);
    const { timeoutMs } = options;
    if (!this.#started && timeoutMs < Infinity) this.#timer = new StallTolerantTimer(() => this.#expire(), timeoutMs);
  }

  /** Whether it is over. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Begins the dial: it is this wait's turn. */
  start(): void {
    const { queue, dial, spare } = this.#context;
    this.#started = true;
    this.#timer?.stop();
    this.#options.onDialling?.();
    dial(this.#options.timeoutMs).then((socket) => {
      if (this.#settled) spare(socket);
      else this.take(socket);
      queue.ended();
    }, (failure) => {
      this.#context.refused(failure);
      queue.ended();
      if (this.#settle()) this.#reject(failure);
      else this.#options.onLateFailure?.(failure);
    });
  }

  /** Takes a new socket, its own or one that was dialled for another wait. */
  take(socket: Socket): void {
    if (!this.#settle()) return socket.close();
    try {
      this.#resolve(this.#context.open(socket));
    } catch (error) {
      this.#reject(error);
    }
  }

  /** Takes a released connection. */
  serve(connection: LentConnection): void {
    if (this.#settle()) this.#resolve(connection);
  }

  /** Fails, as the dial of another wait did whose connection both would have shared. */
  refuse(failure: unknown): void {
    if (this.#settle()) this.#reject(failure);
  }

  /** Ends the wait, as when the client has left. A dial that has begun goes on. */
  leave(): void {
    if (this.#settle()) {
      this.#reject(new TransportFailure("client_left", "The client left while the upstream was dialled"));
    }
  }

  #expire(): void {
    if (!this.#settle()) return;
    const { running } = this.#context.queue;
    const message = `No turn to connect within ${this.#options.timeoutMs} ms: ${running} connections were being opened`;
    this.#reject(new TransportFailure("dial_queue", message));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#timer?.stop();
    if (!this.#started) this.#context.queue.remove(this);
    return true;
  }
}
