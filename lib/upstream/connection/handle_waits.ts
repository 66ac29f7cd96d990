/**
 * Dials of one upstream for which this machine has no file handle left. They wait for a handle to be closed, or for a connection
 * that is released meanwhile: a burst of clients is served over the connections for which there are handles.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { isHandleShortage } from "../../failure/shortage.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { ConnectionWait } from "./connection_wait.ts";
import type { IdleRelease } from "./idle_release.ts";
import type { LentConnection } from "./lent_connection.ts";

/** What these waits use of their connection pool. */
export interface HandleWaitsContext {
  /** The idle connections of all upstreams, which are closed for their handles. */
  readonly allIdle: IdleRelease;
  /** Whether the pool is closed. */
  readonly closed: () => boolean;
  /** An idle connection of the pool. */
  readonly take: () => LentConnection | undefined;
}

/** The waits of one pool, which owns them. */
export class HandleWaits {
  readonly #context: HandleWaitsContext;
  /** Those that a connection that was used before serves as well, oldest first. */
  readonly #reusing = new Set<ConnectionWait>();

  constructor(context: HandleWaitsContext) {
    this.#context = context;
  }

  /** Waits that a released connection is for. Some may be over. */
  get size(): number {
    return this.#reusing.size;
  }

  /** The oldest wait that a released connection, or a spare one, is for. It is removed. */
  next(): ConnectionWait | undefined {
    for (const wait of this.#reusing) {
      this.#reusing.delete(wait);
      if (!wait.settled) return wait;
    }
    return undefined;
  }

  /**
   * Dials, and again where a handle is lacking.
   *
   * @param timeoutMs Longest time of one dial; no handle is waited for longer.
   * @param wait The wait that it is for, if a connection that was used before will do for that.
   * @throws {TransportFailure} That of the last dial.
   */
  async dial(dial: () => Promise<Socket>, timeoutMs: number, wait?: () => ConnectionWait): Promise<Socket> {
    const { allIdle, closed } = this.#context;
    const deadlineMs = performance.now() + Math.min(timeoutMs, LONGEST_MS);
    try {
      for (;;) {
        try {
          return await dial();
        } catch (failure) {
          if (!lacksHandle(failure) || closed() || performance.now() > deadlineMs) throw failure;
          if (wait !== undefined && this.#served(wait())) throw failure;
          if (!await allIdle.release()) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          if (wait?.().settled) throw failure;
        }
      }
    } finally {
      if (wait !== undefined) this.#reusing.delete(wait());
    }
  }

  /** Whether `wait` is over, or gets an idle connection. Otherwise a connection that is released is for it. */
  #served(wait: ConnectionWait): boolean {
    if (wait.settled) return true;
    const idle = this.#context.take();
    if (idle === undefined) this.#reusing.add(wait);
    else wait.serve(idle);
    return idle !== undefined;
  }
}

function lacksHandle(failure: unknown): boolean {
  return failure instanceof TransportFailure && failure.kind === "shortage" && isHandleShortage(failure);
}

/** Longest wait for a handle. */
const LONGEST_MS = 2000;
/** Time between two dials. */
const PAUSE_MS = 20;
