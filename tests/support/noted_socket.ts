/**
 * A socket in memory that notes what is written to it, for tests of what stands on the contract of sockets. The test
 * says what arrives, and how much is accepted.
 *
 * @module
 */

import type { Socket, SocketHandler } from "../../lib/sockets/socket.ts";

/** One end of a connection that does not exist. */
export class NotedSocket implements Socket {
  handler: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  queuedBytes = 0;
  closed = false;
  /** Whether written bytes are queued until {@linkcode accept}. */
  blocked = false;
  paused = false;
  /** Number of calls of `write`. */
  writes = 0;
  /** `end`, `close`, `reset`, in order. */
  readonly calls: string[] = [];
  #written: number[] = [];

  /** Everything that was written. */
  get written(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#written);
  }

  /** Bytes arrive: in memory that is overwritten afterwards, as drivers do. */
  arrive(bytes: Uint8Array): void {
    const buffer = new Uint8Array(bytes.length + 7);
    buffer.set(bytes, 3);
    this.handler.received(buffer, 3, 3 + bytes.length);
    buffer.fill(0xee);
  }

  /** The system accepts queued bytes: all, or so many. */
  accept(bytes = this.queuedBytes): void {
    this.queuedBytes -= bytes;
    if (this.queuedBytes === 0) this.handler.drained();
  }

  write(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.closed) throw new Error("A closed socket was written to");
    if (this.calls.includes("end")) throw new Error("A socket was written to after its end");
    this.writes++;
    for (const byte of bytes) this.#written.push(byte);
    if (this.blocked) this.queuedBytes += bytes.length;
    return this.queuedBytes === 0;
  }

  cork(): void {}

  uncork(): boolean {
    return this.queuedBytes === 0;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.calls.push("end");
  }

  close(): void {
    this.closed = true;
    this.calls.push("close");
  }

  reset(): void {
    this.closed = true;
    this.calls.push("reset");
  }
}
