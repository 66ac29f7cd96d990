/**
 * The contract of a relay's two ends: a WebSocket as messages, with closing and the state of its peer. One end is the
 * client's, the other the upstream's; the relay does not depend on their implementations.
 *
 * @module
 */

import type { FailureOwner } from "../../failure/failure.ts";
import type { CloseStatus } from "./close_status.ts";

/** A complete message. */
export interface Message {
  /** Whether the message is text (valid UTF-8), else binary. */
  readonly text: boolean;
  /** The payload, which belongs to the receiver. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Why an end was lost. */
export interface Loss {
  /** The cause, for the log. */
  readonly cause: string;
  readonly owner: FailureOwner;
}

/** Notified of the events at one end, in order. */
export interface SocketEndListener {
  /** Messages can be sent. */
  onOpen(): void;
  /** A message arrived. */
  onMessage(message: Message): void;
  /** The peer sent its Close frame: no message follows. */
  onClose(status: CloseStatus): void;
  /** The connection was lost without a Close frame of the peer. */
  onLost(loss: Loss): void;
  /** The connection has ended. Called once, and always last. */
  onEnded(): void;
}

/** One end of a relay. */
export interface SocketEnd {
  /** Bytes that were sent and that the peer's connection has not accepted yet. */
  readonly bufferedBytes: number;
  /** Starts reading, and calls `listener`. */
  start(listener: SocketEndListener): void;
  /** Sends a message after the queued ones. Ignored after closing has begun or the connection was lost. */
  send(message: Message): void;
  /**
   * Sends a Close frame after the queued messages. Messages of the peer still arrive until its own Close frame. Later
   * calls have no effect.
   */
  close(status: CloseStatus): void;
  /**
   * Stops reading, which slows down the peer by TCP. Called within `onMessage`.
   *
   * @returns Whether this end can be paused.
   */
  pause(): boolean;
  /** Resumes reading. */
  resume(): void;
  /** Ends the connection at once. Queued messages are lost. */
  destroy(): void;
  /** Enforces the deadlines of the end. Called on each tick of the clock. */
  tick(): void;
}
