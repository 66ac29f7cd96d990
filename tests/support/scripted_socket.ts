/**
 * A socket without a connection: a test says what arrives on it and when, and sees what was written.
 *
 * @module
 */

import type { Ownership } from "../../lib/http/body.ts";
import type { Socket, SocketHandler } from "../../lib/sockets/socket.ts";

type Arrival = Uint8Array<ArrayBuffer> | "end" | Error;

/** A socket whose other side is the test. What it lends is overwritten as soon as it may be. */
export class ScriptedSocket implements Socket {
  handler: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };
  remoteAddress = "";
  remotePort = 0;
  readonly endUnproven: boolean;
  closed = false;
  paused = false;
  /** Whether the writing side was ended. */
  sendsNothingMore = false;
  /** Whether it was closed with a reset. */
  wasReset = false;
  /** Number of writes that the system would see. */
  writes = 0;
  readonly #arrivals: Arrival[] = [];
  #written = "";
  #queued = "";
  #blocked = false;
  #corked = false;
  #delivering = false;

  /** @param endUnproven Whether the end of what arrives may have been forged. */
  constructor(endUnproven = false) {
    this.endUnproven = endUnproven;
  }

  /** All that was written, one character a byte, without what is queued. */
  get written(): string {
    return this.#written;
  }

  get queuedBytes(): number {
    return this.#queued.length;
  }

  /** Pieces that have not been received, since the socket is paused. */
  get waiting(): number {
    return this.#arrivals.length;
  }

  /** These pieces arrive, one for each event; a piece is text, one character a byte. */
  arrive(...pieces: string[]): void {
    for (const piece of pieces) {
      if (piece.length > 0) this.#arrivals.push(Uint8Array.from(piece, (char) => char.charCodeAt(0)));
    }
    this.#deliver();
  }

  /** The other side ends its side. */
  finish(): void {
    this.#arrivals.push("end");
    this.#deliver();
  }

  /** The other side resets the connection. */
  fail(): void {
    this.#arrivals.push(new Deno.errors.ConnectionReset("reset"));
    this.#deliver();
  }

  /** From now on bytes are queued. */
  block(): void {
    this.#blocked = true;
  }

  /** The system accepts the first `bytes` of the queue; all of it by default. */
  unblock(bytes = this.#queued.length): void {
    this.#written += this.#queued.slice(0, bytes);
    this.#queued = this.#queued.slice(bytes);
    if (this.#queued.length > 0) return;
    this.#blocked = false;
    this.handler.drained();
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    for (const byte of bytes) this.#queued += String.fromCharCode(byte);
    if (ownership === "given") bytes.buffer.transfer(0);
    return !this.#corked && this.#flush();
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): boolean {
    this.#corked = false;
    return this.#flush();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    queueMicrotask(() => this.#deliver());
  }

  end(): void {
    this.sendsNothingMore = true;
  }

  close(): void {
    this.closed = true;
    this.#queued = "";
  }

  reset(): void {
    this.wasReset = true;
    this.close();
  }

  #flush(): boolean {
    if (this.#blocked || this.closed) return false;
    if (this.#queued.length > 0) this.writes++;
    this.#written += this.#queued;
    this.#queued = "";
    return true;
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (!this.closed && !this.paused) {
      const arrival = this.#arrivals.shift();
      if (arrival === undefined) break;
      if (arrival === "end") this.handler.ended();
      else if (arrival instanceof Error) this.#fail(arrival);
      else this.#lend(arrival);
    }
    this.#delivering = false;
  }

  #lend(bytes: Uint8Array<ArrayBuffer>): void {
    const memory = new Uint8Array(bytes.length + 2 * MARGIN).fill(FILLER);
    memory.set(bytes, MARGIN);
    this.handler.received(memory, MARGIN, MARGIN + bytes.length);
    memory.fill(FILLER);
  }

  #fail(error: Error): void {
    this.closed = true;
    this.handler.failed(error);
  }
}

const MARGIN = 3;
const FILLER = 0xee;
