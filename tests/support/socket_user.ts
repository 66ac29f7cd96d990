/**
 * The owner of a socket in tests: it records the events, and what breaks a rule of the contract.
 *
 * @module
 */

import type { Ownership } from "../../lib/http/body.ts";
import type { Socket, SocketHandler } from "../../lib/sockets/socket.ts";

/** What the owner does in a callback, after it was recorded. */
export interface SocketReactions {
  received?(user: SocketUser, bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void;
  drained?(user: SocketUser): void;
  ended?(user: SocketUser): void;
  failed?(user: SocketUser, error: Error): void;
}

/** Most bytes of which the text is kept. */
const TEXT_BYTES = 1 << 16;

/** Owns one socket. */
export class SocketUser implements SocketHandler {
  /** Names of the callbacks in order; those of `received` that follow each other count as one. */
  readonly events: string[] = [];
  /** Rules that were broken. */
  readonly violations: string[] = [];
  /** The error of the failure. */
  failure: Error | undefined;
  /** All bytes that were received. */
  receivedBytes = 0;
  /** The first of them, one character a byte. */
  text = "";
  /** Times that `drained` was called. */
  drains = 0;
  readonly #reactions: SocketReactions;
  #socket: Socket | undefined;
  #calling = false;
  #closed = false;

  constructor(reactions: SocketReactions = {}) {
    this.#reactions = reactions;
  }

  /** Takes a socket over. */
  own(socket: Socket): void {
    this.#socket = socket;
    socket.handler = this;
  }

  /** Whether it has a socket. */
  get open(): boolean {
    return this.#socket !== undefined;
  }

  /** The socket; for reading its facts. */
  get socket(): Socket {
    if (this.#socket === undefined) throw new Error("There is no socket yet");
    return this.#socket;
  }

  /** Writes text, one character a byte, or bytes. */
  write(value: string | Uint8Array<ArrayBuffer>, ownership: Ownership = "lent"): boolean {
    const bytes = typeof value === "string" ? Uint8Array.from(value, (char) => char.charCodeAt(0)) : value;
    return this.call((socket) => socket.write(bytes, ownership));
  }

  end(): void {
    this.call((socket) => socket.end());
  }

  close(): void {
    this.#closed = true;
    this.call((socket) => socket.close());
  }

  reset(): void {
    this.#closed = true;
    this.call((socket) => socket.reset());
  }

  pause(): void {
    this.call((socket) => socket.pause());
  }

  resume(): void {
    this.call((socket) => socket.resume());
  }

  /** Calls the socket; a callback within the call is a violation. */
  call<T>(what: (socket: Socket) => T): T {
    const outer = this.#calling;
    this.#calling = true;
    try {
      return what(this.socket);
    } finally {
      this.#calling = outer;
    }
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#record("received");
    if (!(start < end && end <= bytes.length)) this.violations.push(`received ${start} to ${end} of ${bytes.length}`);
    if (this.events.includes("ended")) this.violations.push("received after ended");
    this.receivedBytes += end - start;
    for (let i = start; i < end && this.text.length < TEXT_BYTES; i++) this.text += String.fromCharCode(bytes[i]);
    this.#reactions.received?.(this, bytes, start, end);
  }

  drained(): void {
    this.#record("drained");
    this.drains++;
    if (this.socket.queuedBytes > 0) this.violations.push("drained while bytes were queued");
    this.#reactions.drained?.(this);
  }

  ended(): void {
    if (this.events.includes("ended")) this.violations.push("ended twice");
    this.#record("ended");
    this.#reactions.ended?.(this);
  }

  failed(error: Error): void {
    if (!this.socket.closed) this.violations.push("failed, and not closed");
    if (this.events.includes("failed")) this.violations.push("failed twice");
    this.#record("failed");
    this.failure = error;
    this.#reactions.failed?.(this, error);
  }

  #record(event: string): void {
    if (this.#calling) this.violations.push(`${event} within a call`);
    if (this.#closed || (event !== "failed" && this.socket.closed)) this.violations.push(`${event} after close`);
    if (event !== "received" || this.events.at(-1) !== event) this.events.push(event);
  }
}
