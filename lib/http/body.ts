/**
 * The contract of bodies: how the bytes of a request's or a response's body get from the connection that they arrive on to
 * the one that they leave on. A source is pulled by one sink, a piece at a time, so the slower side sets the pace. Calls
 * only, no promises: a piece that is at hand is delivered within the pull. A filter is a source and a sink at once.
 *
 * Each piece says who owns its bytes. Whoever keeps a piece takes {@linkcode keep} of it; whoever keeps a piece or a part of
 * it and passes it on says {@linkcode stillHeld}; whoever is the last to need a piece may {@linkcode release} it. Nothing
 * else may empty a buffer, so that nobody holds one that is emptied.
 *
 * @module
 */

import { detachBuffer } from "./detach_buffer.ts";

/**
 * Who owns the bytes of a piece.
 *
 * - `lent`: the source, which uses the memory again. They are valid until the next pull, or the cancellation.
 * - `shared`: several, for as long as they like. Nobody changes the bytes or empties their buffer.
 * - `given`: whoever has the piece now. Nothing else lies in its buffer, and nobody else holds that.
 */
export type Ownership = "lent" | "shared" | "given";

/** Takes a body's pieces. */
export interface BodySink {
  /**
   * The next piece, not empty: one for each pull, within it or later. It may pull again before it returns.
   *
   * @param ownership Who owns the bytes.
   */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void;
  /** The body is complete: in place of a piece, or right behind the last one without a pull. */
  end(): void;
  /**
   * The body broke off, and is never to be taken for complete. May come at any time after the start, also when nothing was
   * pulled.
   *
   * @param reason Why, for whoever reports it.
   */
  fail(reason: unknown): void;
}

/** Gives a body's pieces, to one sink. After `end`, `fail` or `cancel` it holds nothing and calls nothing any more. */
export interface BodySource {
  /** Says who takes the pieces. Called once, before the first pull; calls nothing by itself but `fail`. */
  start(sink: BodySink): void;
  /** Asks for the next piece. Not while one is awaited. May deliver before it returns. */
  pull(): void;
  /**
   * Nobody wants the rest. May come at any time, also before the start and after the end, where it changes nothing.
   *
   * @param reason Why, for whoever reports it.
   */
  cancel(reason: unknown): void;
}

/** Bytes that stay as they are for whoever keeps them: those of a piece, or a copy where they are lent. */
export function keep(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): Uint8Array<ArrayBuffer> {
  return ownership === "lent" ? bytes.slice() : bytes;
}

/** How a piece, of which the bytes or a part are kept or delivered elsewhere too, is passed on: never as given. */
export function stillHeld(ownership: Ownership): Ownership {
  return ownership === "given" ? "shared" : ownership;
}

/** Frees the memory of a piece that nobody needs any more, where that is this holder's to decide. */
export function release(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
  if (ownership === "given") detachBuffer(bytes);
}
