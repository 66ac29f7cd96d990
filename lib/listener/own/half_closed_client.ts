/**
 * A client that sends nothing more while its response is made. TCP does not tell a client that has closed its connection
 * from one that has only ended its side of it, as `nc -N` does. A FIN that comes long after the request is taken for
 * the former. Otherwise the reply to what is written to the client tells. During a pause, as of an upload that the upstream
 * does not take, the socket is asked whether there is a FIN.
 *
 * @module
 */

import type { Socket } from "../../sockets/socket.ts";

/** Judges the FIN of one client. */
export class HalfClosedClient {
  #completeMs = 0;
  #lookMs = 0;
  #looks = 0;
  #ended = false;
  #checkMs = 0;

  /** Whether the client sends nothing more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** A request is complete. */
  requestComplete(nowMs: number): void {
    this.#completeMs = nowMs;
  }

  /** The FIN has arrived. */
  end(nowMs: number): void {
    this.#ended = true;
    this.#lookMs = nowMs + FIRST_LOOK_MS;
  }

  /** Whether it came too late after the last request for a client that is still there. */
  hasLeft(nowMs: number): boolean {
    return nowMs - this.#completeMs > HALF_CLOSED_MS;
  }

  /** Whether it is time to write something to the client, to find out whether it is there. */
  lookDue(nowMs: number): boolean {
    if (!this.#ended || nowMs < this.#lookMs) return false;
    this.#looks++;
    // The first look may find a piece of the body that was just sent. The system of a client that has left replies to the
    // first write with a reset, which the second one meets.
    this.#lookMs = nowMs + (this.#looks < QUICK_LOOKS ? FIRST_LOOK_MS : LATER_LOOK_MS);
    return true;
  }

  /**
   * Asks a socket that is paused whether the client has left, twice a second at most: its handler is notified of a reset.
   *
   * @returns Whether a FIN has arrived behind bytes that are not read yet, and it is time to write something to the client.
   */
  pausedLookDue(nowMs: number, socket: Socket): boolean {
    if (nowMs < this.#checkMs) return false;
    this.#checkMs = nowMs + CHECK_MS;
    return socket.checkPeer?.() === true && this.#looks++ < QUICK_LOOKS;
  }
}

/** Latest FIN of a client that wants its response. */
const HALF_CLOSED_MS = 1000;
const FIRST_LOOK_MS = 250;
const QUICK_LOOKS = 3;
const LATER_LOOK_MS = 15_000;
const CHECK_MS = 500;
