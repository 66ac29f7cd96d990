/**
 * A request's body on its way upstream: framed as the client framed it, counted, held back until an upstream is there to
 * take it, and kept, up to a bound, so that it can be sent again.
 *
 * @module
 */

import { cutReason } from "../../exchange/cut_bodies.ts";
import type { Connection } from "../../upstream/connection/connection.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { detachBuffer } from "../../http/detach_buffer.ts";
import { BodySource, joined } from "./body_source.ts";
import type { ReadAhead } from "./read_ahead.ts";

/** Bounds of a request's body. */
export interface RequestBodyLimits {
  /** Largest body that is let through, in bytes. */
  readonly maxBytes: number;
  /** Bytes that are kept to be sent again. */
  readonly keepBytes: number;
  /** Memory for what is read ahead. */
  readonly readAhead: ReadAhead;
}

/** A body that is streamed to one upstream at a time. */
export class RequestBody {
  /** Content-Length, or below 0 for a chunked body. */
  readonly length: number;
  readonly #source: BodySource;
  readonly #stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #keepBytes: number;
  readonly #owned: boolean;
  /** The first piece, when it waits for the head that it goes out with. */
  #first: Uint8Array<ArrayBuffer> | undefined;
  /** What has been handed to upstreams; undefined when it is too much to be kept. */
  #kept: Uint8Array<ArrayBuffer>[] | undefined = [];
  #keptBytes = 0;
  /** Bytes that were handed to the upstream that is being tried. */
  #sentBytes = 0;
  /** The sending that is under way; a new one takes the place of the old. */
  #sending = 0;

  /**
   * Holds `stream`, of `length` bytes, back.
   *
   * @param owned Whether nobody else holds its pieces.
   */
  constructor(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    length: number,
    limits: RequestBodyLimits,
    owned = false,
  ) {
    this.length = length;
    this.#stream = stream;
    this.#owned = owned;
    this.#keepBytes = limits.keepBytes;
    this.#source = new BodySource(stream, { length, maxBytes: limits.maxBytes, owned, readAhead: limits.readAhead });
  }

  /** Whether all that has been sent of it can be sent again. */
  get replayable(): boolean {
    return this.#kept !== undefined;
  }

  /** Whether it turned out to be empty. */
  get empty(): boolean {
    return this.#source.empty && this.#source.broken === undefined;
  }

  /** Goes back to its first byte. Only for one that is replayable. */
  rewind(): void {
    this.interrupt();
    if (this.#kept === undefined || this.#kept.length === 0) return;
    this.#first = joined(this.#kept, this.#keptBytes);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#sentBytes = 0;
  }

  /** Ends the waits and the sending of an attempt that is over. */
  interrupt(): void {
    this.#sending++;
    this.#source.wake();
  }

  /**
   * The first piece, so that it can go out together with the head. Undefined when it is not there by the time that
   * {@linkcode flushHead} is called, or when the body is empty or broken: {@linkcode sendRest} deals with those.
   */
  async first(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#first !== undefined) return this.#first;
    await this.#source.arrival();
    return this.#first = this.#source.take();
  }

  /** Ends the wait in {@linkcode first}: the head goes ahead alone. */
  flushHead(): void {
    if (this.#sentBytes === 0) this.#source.wake();
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

  /** Notes that the piece which {@linkcode first} gave goes out with the head. Whether the body is complete with it. */
  firstTaken(): boolean {
    if (this.#first === undefined) return false;
    this.#keep(this.#first);
    this.#first = undefined;
    this.#source.sent();
    return this.#sentBytes === this.length;
  }

  /** Takes the first piece back, which did not go out after all. */
  unread(first: Uint8Array<ArrayBuffer> | undefined): void {
    this.#first = first;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#sentBytes = 0;
  }

  /**
   * Sends what remains, at the speed of the slower side; returns early when {@linkcode interrupt} ends it.
   *
   * @returns Whether the whole body was sent.
   * @throws {TransportFailure} `client_left` when the body breaks off, `dropped` when this process broke it,
   * `body_too_large`, or what the connection throws.
   */
  async sendRest(connection: Connection): Promise<boolean> {
    const sending = ++this.#sending;
    const source = this.#source;
    source.readAhead(connection.deadlines);
    while (sending === this.#sending) {
      if (source.broken !== undefined) {
        if (source.broken instanceof TransportFailure) throw source.broken;
        const cut = cutReason(this.#stream);
        throw cut === undefined
          ? new TransportFailure("client_left", "The client broke off its body", source.broken)
          : new TransportFailure("dropped", cut, source.broken);
      }
      const batch = source.take();
      if (batch !== undefined) {
        this.#keep(batch);
        const framed = this.frame(batch);
        await connection.send(framed);
        source.sent();
        if (framed !== batch) detachBuffer(framed);
        // What is kept may be sent again.
        if (this.#owned && this.#kept === undefined) detachBuffer(batch);
        if (this.#sentBytes === this.length) return true;
      } else if (source.done) {
        if (this.length < 0) await connection.send(LAST_CHUNK);
        else if (this.#sentBytes !== this.length) {
          throw new TransportFailure("client_left", "The client's body is short");
        }
        return true;
      } else {
        await source.arrival();
      }
    }
    return false;
  }

  /** Lets go of the client's stream. */
  cancel(): void {
    this.#sending++;
    this.#source.cancel();
  }

  #keep(chunk: Uint8Array<ArrayBuffer>): void {
    this.#sentBytes += chunk.length;
    if (this.#kept === undefined) return;
    this.#keptBytes += chunk.length;
    if (this.#keptBytes <= this.#keepBytes) this.#kept.push(chunk);
    else this.#kept = undefined;
  }
}

const CRLF = new Uint8Array([0x0d, 0x0a]);
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");
