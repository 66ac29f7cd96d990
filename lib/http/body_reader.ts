/**
 * A body, read with promises: for whoever waits for each piece anyway.
 *
 * @module
 */

import { type BodySink, type BodySource, keep, type Ownership } from "./body.ts";

/** A piece as it was delivered. */
export interface Piece {
  /** Its bytes; where they are lent, they are valid until the next read. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Who owns them. */
  readonly ownership: Ownership;
}

/** Reads one body. */
export class BodyReader implements BodySink {
  readonly #source: BodySource;
  #waiting: PromiseWithResolvers<Piece | undefined> | undefined;
  #ended = false;
  #failed = false;
  #reason: unknown;

  /** Starts `source`, which nobody else may have. */
  constructor(source: BodySource) {
    this.#source = source;
    source.start(this);
  }

  /**
   * The next piece, or undefined behind the last. One read at a time.
   *
   * @throws What the body failed with.
   */
  read(): Promise<Piece | undefined> {
    if (this.#failed) return Promise.reject(this.#reason);
    if (this.#ended) return Promise.resolve(undefined);
    const waiting = this.#waiting = Promise.withResolvers<Piece | undefined>();
    this.#source.pull();
    return waiting.promise;
  }

  /** Lets the rest go. A read under way ends as if the body did. */
  cancel(reason: unknown): void {
    if (this.#ended || this.#failed) return;
    this.#source.cancel(reason);
    this.end();
  }

  /** As the contract says. */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#settle()?.resolve({ bytes, ownership });
  }

  /** As the contract says. */
  end(): void {
    this.#ended = true;
    this.#settle()?.resolve(undefined);
  }

  /** As the contract says. */
  fail(reason: unknown): void {
    this.#failed = true;
    this.#reason = reason;
    this.#settle()?.reject(reason);
  }

  #settle(): PromiseWithResolvers<Piece | undefined> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}

/**
 * All bytes of a body.
 *
 * @throws What the body failed with.
 */
export async function readWhole(source: BodySource): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new BodyReader(source);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
    pieces.push(keep(piece.bytes, piece.ownership));
    bytes += piece.bytes.length;
  }
  return joined(pieces, bytes);
}

/** Several pieces as one, of `bytes` bytes together. */
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
