/**
 * A wire without a socket: a test says what arrives on it and when, and sees what was written.
 *
 * @module
 */

import type { Wire } from "../../lib/sockets/wire.ts";

type Arrival = Uint8Array | null | Error;

/** A wire whose other side is the test. */
export class ScriptedWire implements Wire {
  /** Whether it was closed. */
  closed = false;
  readonly endUnproven: boolean;
  readonly #arrivals: Arrival[] = [];
  #reader: { buffer: Uint8Array; resolve: (count: number | null) => void; reject: (error: Error) => void } | undefined;
  #written = "";
  #mostBytes = Infinity;
  #writeFailure: Error | undefined;
  #blockedWrites: (() => void)[] | undefined;

  /** @param endUnproven Whether the end of what arrives may have been forged. */
  constructor(endUnproven = false) {
    this.endUnproven = endUnproven;
  }

  /** Whether a read is open. */
  get reading(): boolean {
    return this.#reader !== undefined;
  }

  /** All that was written, one character a byte. */
  get written(): string {
    return this.#written;
  }

  /** These pieces arrive, one for each read; a piece is text, one character a byte. */
  arrive(...pieces: string[]): void {
    for (const piece of pieces) this.#push(Uint8Array.from(piece, (char) => char.charCodeAt(0)));
  }

  /** The other side closes. */
  end(): void {
    this.#push(null);
  }

  /** The other side resets the connection. */
  reset(): void {
    this.#push(new Deno.errors.ConnectionReset("reset"));
  }

  /** From now on writes take no more than `bytes` each. */
  narrow(bytes: number): void {
    this.#mostBytes = bytes;
  }

  /** From now on writes fail. */
  refuseWrites(): void {
    this.#writeFailure = new Deno.errors.BrokenPipe("broken pipe");
  }

  /** From now on writes wait until {@linkcode unblockWrites}. */
  blockWrites(): void {
    this.#blockedWrites = [];
  }

  /** Those that wait go on. */
  unblockWrites(): void {
    const blocked = this.#blockedWrites ?? [];
    this.#blockedWrites = undefined;
    for (const resume of blocked) resume();
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#reader !== undefined) throw new Error("A read is open already");
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    this.#reader = { buffer, resolve, reject };
    if (this.closed) this.#push(new Deno.errors.Interrupted("closed"));
    else this.#deliver();
    return promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) =>
      this.#blockedWrites === undefined ? resolve() : this.#blockedWrites.push(resolve)
    );
    if (this.closed) throw new Deno.errors.Interrupted("closed");
    if (this.#writeFailure !== undefined) throw this.#writeFailure;
    const taken = Math.min(bytes.length, this.#mostBytes);
    for (const byte of bytes.subarray(0, taken)) this.#written += String.fromCharCode(byte);
    return taken;
  }

  close(): void {
    this.closed = true;
    this.#arrivals.length = 0;
    this.unblockWrites();
    this.#push(new Deno.errors.Interrupted("closed"));
  }

  #push(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#deliver();
  }

  #deliver(): void {
    const reader = this.#reader;
    const arrival = this.#arrivals[0];
    if (reader === undefined || arrival === undefined) return;
    if (arrival instanceof Uint8Array) {
      const taken = Math.min(arrival.length, reader.buffer.length);
      reader.buffer.set(arrival.subarray(0, taken));
      if (taken < arrival.length) this.#arrivals[0] = arrival.subarray(taken);
      else this.#arrivals.shift();
      this.#reader = undefined;
      return reader.resolve(taken);
    }
    this.#reader = undefined;
    if (arrival === null) return reader.resolve(null);
    reader.reject(arrival);
  }
}
