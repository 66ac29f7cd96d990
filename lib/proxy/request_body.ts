/**
 * A request's body on its way upstream: framed as the client framed it, counted, and held back until an upstream is
 * there to take it.
 *
 * @module
 */

import type { Connection } from "../transport/connection.ts";
import { TransportFailure } from "../transport/failure.ts";

/** A body that is streamed to one upstream. */
export class RequestBody {
  /** Content-Length, or -1 for a chunked body. */
  readonly length: number;
  /** Bytes that were handed to the upstream that is being tried. */
  sentBytes = 0;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #maxBytes: number;
  #readBytes = 0;
  #first: Promise<void> | undefined;
  #held: Uint8Array<ArrayBuffer> | undefined;
  #done = false;
  #broken: unknown;
  #whole: Uint8Array<ArrayBuffer> | undefined;
  #wake: (() => void) | undefined;
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #queuedBytes = 0;
  #arrived: (() => void) | undefined;
  #room: (() => void) | undefined;
  #reading = false;
  #unwanted = false;

  /** @param maxBytes Largest body that is let through. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>, length: number, maxBytes: number) {
    this.#reader = stream.getReader();
    this.length = length;
    this.#maxBytes = maxBytes;
  }

  /** Whether it is small enough to have arrived as one piece, which is kept, so that it can be sent again. */
  get replayable(): boolean {
    return this.#whole !== undefined;
  }

  /** Goes back to its first byte. Only for one that is replayable. */
  rewind(): void {
    this.#held = this.#whole;
    this.sentBytes = 0;
  }

  /** Whether it turned out to be empty. */
  get empty(): boolean {
    return this.#done && this.#held === undefined && this.#readBytes === 0;
  }

  /**
   * The first piece, so that it can go out together with the head. Undefined when it is not there by the time that
   * {@linkcode hurry} is called, or when the body is empty or broken: {@linkcode sendRest} deals with those.
   */
  async first(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#held === undefined && !this.#done) {
      this.#first ??= this.#readFirst();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#first?.then(resolve);
      });
    }
    return this.#held;
  }

  /** Ends the wait in {@linkcode first}: the head goes ahead alone. */
  hurry(): void {
    this.#wake?.();
  }

  /** Bytes for the wire that carry `chunk`, framed. */
  frame(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.length >= 0) return chunk;
    const size = chunk.length.toString(16);
    const framed = new Uint8Array(size.length + chunk.length + 4);
    for (let i = 0; i < size.length; i++) framed[i] = size.charCodeAt(i);
    framed.set(CRLF, size.length);
    framed.set(chunk, size.length + 2);
    framed.set(CRLF, size.length + 2 + chunk.length);
    return framed;
  }

  /** Notes that the piece which {@linkcode first} gave went out with the head. Whether the body is complete with it. */
  firstSent(): boolean {
    this.sentBytes += this.#held?.length ?? 0;
    const complete = this.length >= 0 && this.sentBytes === this.length;
    if (complete) this.#whole = this.#held;
    this.#held = undefined;
    return complete;
  }

  /**
   * Sends what remains, at the speed of the slower side.
   *
   * @throws {TransportFailure} `client_left` when the body breaks off, `body_too_large`, or what the connection throws.
   */
  async sendRest(connection: Connection): Promise<void> {
    if (this.#first !== undefined) {
      connection.deadlines.awaitUpload();
      await this.#first;
      connection.deadlines.endUpload();
    }
    // Never rejects: what goes wrong is in #broken.
    this.#readAhead(connection);
    for (;;) {
      if (this.#broken !== undefined) {
        if (this.#broken instanceof TransportFailure) throw this.#broken;
        throw new TransportFailure("client_left", "The client broke off its body", this.#broken);
      }
      if (this.#queue.length > 0) {
        const batch = joined(this.#queue.splice(0), this.#queuedBytes);
        this.#queuedBytes = 0;
        this.#room?.();
        this.sentBytes += batch.length;
        await connection.send(this.frame(batch));
        if (this.sentBytes === this.length) return;
      } else if (!this.#done) {
        await new Promise<void>((resolve) => this.#arrived = resolve);
      } else {
        if (this.length < 0) await connection.send(LAST_CHUNK);
        else if (this.sentBytes !== this.length) {
          throw new TransportFailure("client_left", "The client's body is short");
        }
        return;
      }
    }
  }

  // The runtime buffers what a client sends faster than it is read, in a way that costs the square of it and stalls the
  // whole process: 64 MB in chunks of 16 kB took 8 to 30 s. So the client is read at its own speed, up to a bound, and
  // what has gathered meanwhile goes out in one write.
  async #readAhead(connection: Connection): Promise<void> {
    while (!this.#done && !this.#unwanted) {
      if (this.#held === undefined) {
        connection.deadlines.awaitUpload();
        await this.#read();
        connection.deadlines.endUpload();
      }
      if (this.#held !== undefined && this.#held.length > 0) {
        // A few bytes in a large buffer would pin all of it.
        const small = this.#held.length * 4 < this.#held.buffer.byteLength;
        this.#queue.push(small ? this.#held.slice() : this.#held);
        this.#queuedBytes += this.#held.length;
      }
      this.#held = undefined;
      if (this.#readBytes === this.length) this.#done = true;
      this.#arrived?.();
      if (this.#queuedBytes >= AHEAD_BYTES || this.#queue.length >= AHEAD_CHUNKS) {
        await new Promise<void>((resolve) => this.#room = resolve);
      }
    }
    this.#arrived?.();
  }

  /** Lets go of the client's stream. */
  cancel(): void {
    this.#wake?.();
    this.#unwanted = true;
    this.#room?.();
    // The runtime never settles a read under way whose request is cancelled and answered, and keeps all that waits for
    // it. Left alone, it settles with the client's next move, or its leaving.
    if (!this.#reading) this.#release();
  }

  #release(): void {
    // The stream may be broken already; nothing more is wanted of it.
    this.#reader.cancel().catch(() => {});
  }

  async #readFirst(): Promise<void> {
    do await this.#read(); while (this.#held?.length === 0);
    this.#first = undefined;
  }

  async #read(): Promise<void> {
    try {
      this.#reading = true;
      const { value, done } = await this.#reader.read();
      if (this.#unwanted) throw new TransportFailure("dropped", "The client's body is not wanted any more");
      this.#done = done;
      this.#held = value;
      this.#readBytes += value?.length ?? 0;
      if (this.#readBytes > this.#maxBytes) {
        throw new TransportFailure("body_too_large", `The client's body is larger than ${this.#maxBytes} bytes`);
      }
    } catch (error) {
      this.#done = true;
      this.#held = undefined;
      this.#broken = error;
    } finally {
      this.#reading = false;
      if (this.#unwanted) this.#release();
    }
  }
}

const CRLF = new Uint8Array([0x0d, 0x0a]);
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");

/** Bytes that are read ahead of a slower upstream. 256 KiB were found too few to keep the runtime from its own queue. */
const AHEAD_BYTES = 4 * 1024 * 1024;
const AHEAD_CHUNKS = 4096;

function joined(chunks: Uint8Array<ArrayBuffer>[], bytes: number): Uint8Array<ArrayBuffer> {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
