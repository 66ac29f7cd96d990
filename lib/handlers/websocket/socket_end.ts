/**
 * The contract of a relay's two ends: a WebSocket as messages, closing, and what is known of its peer. One end is the
 * client's, one the upstream's; the relay between them does not know which kind is which.
 *
 * @module
 */

import type { FailureOwner } from "../../failure/failure.ts";
import type { CloseStatus } from "./close_status.ts";

/** A whole message. */
export interface Message {
  /** Whether it is text (valid UTF-8), else binary. */
  readonly text: boolean;
  /** Its payload. Belongs to whoever gets it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Why an end was lost. */
export interface Loss {
  /** What happened, for the log. */
  readonly cause: string;
  /** Who caused it. */
  readonly owner: FailureOwner;
}

/** Told what happens at one end, in order. */
export interface SocketEndListener {
  /** Messages can be sent. */
  onOpen(): void;
  /** A message came. */
  onMessage(message: Message): void;
  /** The peer sent its Close frame: no message comes after it. */
  onClose(status: CloseStatus): void;
  /** The end is lost without a Close frame of the peer's. */
  onLost(loss: Loss): void;
  /** Nothing is left of the end; once, and always last. */
  onEnded(): void;
}

/** One end of a relay. */
export interface SocketEnd {
  /** Bytes that were sent to it and that its peer's connection has not taken. */
  readonly bufferedBytes: number;
  /** Begins to read, and tells `listener`. */
  start(listener: SocketEndListener): void;
  /** Sends a message behind those that wait. Ignored once closing began or the end is lost. */
  send(message: Message): void;
  /** Sends a Close frame behind the messages that wait. Messages of the peer still arrive until its own. Works once. */
  close(status: CloseStatus): void;
  /**
   * Stops reading, so that the peer is slowed down by its own connection. Called within `onMessage`.
   *
   * @returns Whether that is possible here.
   */
  pause(): boolean;
  /** Ends a pause. */
  resume(): void;
  /** Ends it at once. What waits to be sent is lost. */
  destroy(): void;
  /** Enforces the end's own deadlines; called on each tick of the clock. */
  tick(): void;
}
