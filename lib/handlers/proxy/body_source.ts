/**
 * The client's side of a request body: its stream, read ahead of the upstream.
 *
 * @module
 */

import type { Deadlines } from "../../upstream/connection/deadlines.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { detachBuffer } from "../../http/detach_buffer.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { SMALL_BYTES, SmallPieces } from "./small_pieces.ts";

/** Reads a client's body. Owned by the exchange; outlives its attempts. */
export class BodySource {
  /** Why it broke off: a `TransportFailure`, or what the stream failed with. */
  broken: unknown;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #length: number;
  readonly #maxBytes: number;
  readonly #owned: boolean;
  readonly #readAhead: ReadAhead;
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #queuedBytes = 0;
  /** Bytes that wait here, or have been taken and are not sent yet. */
  #heldBytes = 0;
  /** How long the client has been waited for. */
  #waitedMs = 0;
  #readBytes = 0;
  readonly #small = new SmallPieces();
  /** Settles when the next piece may be read. */
  #turn: Promise<void> | undefined;
  #done = false;
  #ended = false;
  #reading: Promise<void> | undefined;
  #ahead = false;
  #unwanted = false;
  #deadlines: Deadlines | undefined;
  #wake: (() => void) | undefined;
  #room: (() => void) | undefined;

  /**
   * @param options `length` is Content-Length, or below 0 when it is unknown; `maxBytes` the largest body that is let
   * through; `owned` says that nobody else holds the stream's pieces.
   */
  constructor(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    { length, maxBytes, owned, readAhead }: { length: number; maxBytes: number; owned: boolean; readAhead: ReadAhead },
  ) {
    this.#reader = stream.getReader();
    this.#length = length;
    this.#maxBytes = maxBytes;
    this.#owned = owned;
    this.#readAhead = readAhead;
  }

  /** Whether there will be no more behind what waits. */
  get done(): boolean {
    return this.#done;
  }

  /** Whether something waits to be taken. */
  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Whether it turned out to be empty. */
  get empty(): boolean {
    return this.#done && this.#readBytes === 0;
  }

  /** Waits until something can be taken, or it is over, or {@linkcode wake} is called. */
  async arrival(): Promise<void> {
    if (this.waiting || this.#done) return;
    const woken = new Promise<void>((resolve) => this.#wake = resolve);
    if (!this.#ahead) this.#readOnce();
    await woken;
  }

  /** Ends the wait in {@linkcode arrival}. */
  wake(): void {
    this.#wake?.();
  }

  /** All that waits, as one piece. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#queue.length === 0) return undefined;
    const pieces = this.#queue.splice(0);
    const batch = joined(pieces, this.#queuedBytes);
    if (this.#owned && pieces.length > 1) { for (const piece of pieces) detachBuffer(piece); }
    this.#queuedBytes = 0;
    this.#room?.();
    return batch;
  }

  /** All that was taken has been sent, or is not counted here any more. */
  sent(): void {
    const bytes = this.#heldBytes - this.#queuedBytes;
    if (bytes === 0) return;
    this.#heldBytes -= bytes;
    this.#readAhead.add(-bytes);
    this.#room?.();
  }

  /**
   * Reads on from now, up to a bound, whoever takes it. The runtime buffers what a client sends faster than it is read, in
   * a way that costs the square of it and stalls the whole process: 64 MB in chunks of 16 kB took 8 to 30 s.
   *
   * @param deadlines Bound the client's silence; those of the last call count.
   */
  readAhead(deadlines: Deadlines): void {
    this.#deadlines = deadlines;
    if (this.#reading !== undefined) deadlines.awaitUpload(this.#readBytes, this.#waitedMs);
    if (this.#ahead) return;
    this.#ahead = true;
    this.#readOn();
  }

  /** Lets go of the client's stream. */
  cancel(): void {
    this.#unwanted = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.sent();
    this.#wake?.();
    this.#room?.();
    // The runtime never settles a read under way whose request is cancelled and answered, and keeps all that waits for
    // it. Left alone, it settles with the client's next move, or its leaving.
    if (this.#reading === undefined) this.#release();
  }

  async #readOn(): Promise<void> {
    while (!this.#done && !this.#unwanted) {
      await this.#readOnce();
      if (this.#turn !== undefined) await this.#turn;
      while (!this.#mayReadOn && !this.#unwanted) await new Promise<void>((resolve) => this.#room = resolve);
    }
  }

  get #mayReadOn(): boolean {
    return this.#queue.length < AHEAD_CHUNKS && this.#readAhead.allows(this.#heldBytes);
  }

  // Never rejects: what goes wrong is in `broken`.
  #readOnce(): Promise<void> {
    return this.#reading ??= this.#read();
  }

  async #read(): Promise<void> {
    this.#deadlines?.awaitUpload(this.#readBytes, this.#waitedMs);
    try {
      const { value, done } = await this.#reader.read();
      if (this.#unwanted) throw new TransportFailure("dropped", "The client's body is not wanted any more");
      this.#done = done;
      if (value !== undefined && value.length > 0) this.#keep(value);
      if (!done && this.#readBytes === this.#length) this.#seeEnd();
    } catch (error) {
      this.#done = true;
      this.broken = error;
    }
    this.#reading = undefined;
    this.#waitedMs += this.#deadlines?.endUpload() ?? 0;
    if (this.#unwanted) this.#release();
    if (this.waiting || this.#done) this.#wake?.();
    else if (!this.#ahead) await this.#readOnce();
  }

  #keep(chunk: Uint8Array<ArrayBuffer>): void {
    this.#readBytes += chunk.length;
    if (this.#readBytes > this.#maxBytes) {
      throw new TransportFailure("body_too_large", `The client's body is larger than ${this.#maxBytes} bytes`);
    }
    this.#turn = chunk.length < SMALL_BYTES ? this.#small.add(chunk.length) : undefined;
    this.#queuedBytes += chunk.length;
    this.#heldBytes += chunk.length;
    this.#readAhead.add(chunk.length);
    if (chunk.length * 4 >= chunk.buffer.byteLength) return void this.#queue.push(chunk);
    // A few bytes in a large buffer would pin all of it: the runtime reads a body of 1 KB into 64 KiB.
    this.#queue.push(chunk.slice());
    if (this.#owned) detachBuffer(chunk);
  }

  // Nothing more can come, so nobody waits for the end; but the runtime must be seen to it, or it closes the client's
  // connection behind the answer.
  #seeEnd(): void {
    this.#done = true;
    this.#ended = true;
    this.#reader.read().catch(() => {});
  }

  #release(): void {
    // The runtime reads a body that is cancelled to its end, in one go: with small pieces that takes the square of their
    // number, and nobody is answered meanwhile. One that is left alone ends with its exchange.
    if (this.#ended || this.#small.dense) return;
    // The stream may be broken already; nothing more is wanted of it.
    this.#reader.cancel().catch(() => {});
  }
}

const AHEAD_CHUNKS = 4096;

/** Several pieces as one. */
export function joined(chunks: readonly Uint8Array<ArrayBuffer>[], bytes: number): Uint8Array<ArrayBuffer> {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
