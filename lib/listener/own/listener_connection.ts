/**
 * What the table of a listener needs of a connection, whatever protocol it speaks.
 *
 * @module
 */

import type { Peer } from "../../http/message.ts";
import type { CloseCause } from "./close_cause.ts";

/** A connection of a client. Owned by the table of its listener until it closes. */
export interface ListenerConnection {
  /** The client's address and port. */
  readonly peer: Peer;
  /** Where it stands in its table, which sets it; -1 in none. */
  tableIndex: number;
  /** Since when nothing is under way, on the clock; -1 if something is. */
  readonly idleSinceMs: number;
  /**
   * Since when a request, or the rest of its head, is awaited, on the clock; -1 if the client has a request under way, or has not
   * taken its last response.
   */
  readonly awaitedSinceMs: number;
  /** Whether it has had a request. */
  readonly used: boolean;
  /** Whether nothing but what others close is under way, such as WebSockets. */
  readonly tunnelled: boolean;
  /** Ends it after what is under way. */
  drain(): void;
  /** Closes it at once, unless it is {@linkcode tunnelled}. */
  close(cause: CloseCause): void;
  /** Enforces the deadlines. */
  tick(nowMs: number): void;
}
