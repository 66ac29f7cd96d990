/**
 * Idle connections on which a body may still arrive that none may have: some servers send one behind the head of a response to
 * HEAD. It would be read as the response to the next request, which another client may have sent. So such a connection is not
 * used again before it has been silent for a while; what arrives meanwhile closes it.
 *
 * @module
 */

import type { Connection } from "./connection.ts";

/**
 * A server that sends head and body apart may wait for the acknowledgement of the head (Nagle), and that may take 40 ms.
 */
const REST_MS = 100;

/** The resting connections of one pool, which owns them. */
export class RestingConnections {
  readonly #connections: Connection[] = [];
  /** Since when each rests. */
  readonly #sinceMs: number[] = [];

  /** Number of connections. */
  get size(): number {
    return this.#connections.length;
  }

  /** Adds a connection whose exchange has ended. */
  add(connection: Connection): void {
    this.#connections.push(connection);
    this.#sinceMs.push(performance.now());
  }

  /** Removes the oldest connection that has rested, if there is one. */
  takeRested(): Connection | undefined {
    if (this.size === 0 || performance.now() - this.#sinceMs[0] < REST_MS) return undefined;
    this.#sinceMs.shift();
    return this.#connections.shift();
  }

  /** Removes a connection. Returns whether it was there. */
  delete(connection: Connection): boolean {
    const index = this.#connections.indexOf(connection);
    if (index < 0) return false;
    this.#connections.splice(index, 1);
    this.#sinceMs.splice(index, 1);
    return true;
  }

  /** Removes all connections. */
  clear(): Connection[] {
    this.#sinceMs.length = 0;
    return this.#connections.splice(0);
  }
}
