/**
 * Reads a body with promises, for callers that wait for each piece.
 *
 * @module
 */

import { type BodySink, type BodySource, keep, type Ownership } from "./body.ts";

/** A delivered piece. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Not `lent`: lent bytes are copied. */
  readonly ownership: Ownership;
}

/** Reads one body. */
export class BodyReader implements BodySink {
  readonly #source: BodySource;
  /** Trailer fields, once the body has ended with some. */
  trailers: readonly string[] | undefined;
  #pending: PromiseWithResolvers<Piece | undefined> | undefined;
  #ended = false;
  #failed = false;
  #reason: unknown;

  /** Starts `source`, which the reader then owns. */
  constructor(source: BodySource) {
    this.#source = source;
    source.start(this);
  }

  /**
   * The next piece, or undefined after the last one. Only one read at a time.
   *
   * @throws The reason with which the body failed.
   */
  read(): Promise<Piece | undefined> {
    if (this.#failed) return Promise.reject(this.#reason);
    if (this.#ended) return Promise.resolve(undefined);
    const pending = this.#pending = Promise.withResolvers<Piece | undefined>();
    this.#source.pull();
    return pending.promise;
  }

  /** Cancels the rest of the body. A pending read ends as if the body had ended. */
  cancel(reason: unknown): void {
    if (this.#ended || this.#failed) return;
    this.#source.cancel(reason);
    this.end();
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#settle()?.resolve({ bytes: keep(bytes, ownership), ownership: ownership === "lent" ? "given" : ownership });
  }

  end(trailers?: readonly string[]): void {
    this.#ended = true;
    this.trailers = trailers;
    this.#settle()?.resolve(undefined);
  }

  fail(reason: unknown): void {
    this.#failed = true;
    this.#reason = reason;
    this.#settle()?.reject(reason);
  }

  #settle(): PromiseWithResolvers<Piece | undefined> | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}

/**
 * All bytes of a body.
 *
 * @throws The reason with which the body failed.
 */
export async function readWhole(source: BodySource): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new BodyReader(source);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
    pieces.push(piece.bytes);
    bytes += piece.bytes.length;
  }
  return joined(pieces, bytes);
}

/** Concatenates pieces of `bytes` bytes in total. */
export function joined(pieces: readonly Uint8Array<ArrayBuffer>[], bytes: number): Uint8Array<ArrayBuffer> {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
