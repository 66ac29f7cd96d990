/**
 * The contract of request and response bodies. A body flows from a source, such as the connection on which it arrives,
 * to a sink, such as the connection on which it is sent. The sink pulls one piece at a time, so the slower side sets
 * the pace. There are plain calls and no promises: a piece that is available is delivered during the pull. A filter is
 * a source and a sink at once.
 *
 * Each piece states who owns its bytes. A holder that keeps a piece stores the result of {@linkcode keep}; a holder
 * that keeps a piece, or a part of it, and also passes it on marks it with {@linkcode stillHeld}; the last holder may
 * {@linkcode release} it. No other code may detach a buffer, so no holder is left with a detached one.
 *
 * @module
 */

import { detachBuffer } from "./detach_buffer.ts";

/**
 * Who owns the bytes of a piece.
 *
 * - `lent`: the source, which reuses the memory. The bytes are valid until `piece` returns, as they may lie in the
 *   memory of a socket.
 * - `shared`: several holders, without a time limit. Nobody changes the bytes or detaches their buffer.
 * - `given`: the current holder. The buffer contains nothing else, and nobody else refers to it.
 */
export type Ownership = "lent" | "shared" | "given";

/** Receives the pieces of a body. */
export interface BodySink {
  /**
   * Receives the next piece, which is not empty: one for each pull, during the pull or later. The sink may pull again
   * before it returns.
   *
   * @param ownership Who owns the bytes.
   */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void;
  /**
   * The body is complete. Called in place of a piece, or directly after the last piece without another pull.
   *
   * @param trailers Trailer fields (RFC 9110, section 6.5) as flat header lines; undefined where there are none.
   */
  end(trailers?: readonly string[]): void;
  /**
   * The body ended early, and must not be treated as complete. May be called at any time after the start, also without
   * a pull.
   *
   * @param reason The cause, for whoever reports it.
   */
  fail(reason: unknown): void;
  /**
   * Takes ranges of files in place of pieces; known once the source is started.
   *
   * @default {undefined} Not possible.
   */
  readonly fileSink?: FileSink | undefined;
}

/** Sends ranges of open files without reading them into this process. */
export interface FileSink {
  /**
   * Receives the next range, which is not empty, in place of a piece. The sink reports what it has sent with
   * {@linkcode BodySource.fileTaken}, and pulls again once it has sent all. `end` is called in place of a range alone.
   *
   * @param descriptor The system's descriptor of the file. It stays open until the next pull, or until the source is
   * cancelled or fails.
   * @param start First byte of the range.
   * @param end Behind its last byte.
   */
  fileRange(descriptor: number, start: number, end: number): void;
}

/**
 * Delivers the pieces of a body to one sink. After `end`, `fail` or `cancel` it holds no resources and makes no calls.
 */
export interface BodySource {
  /** Sets the sink. Called once, before the first pull; makes no call itself except `fail`. */
  start(sink: BodySink): void;
  /** Requests the next piece; not while another is pending. The piece may be delivered before this returns. */
  pull(): void;
  /**
   * Cancels the rest of the body. May be called at any time: also before the start, and after the end, where it has no
   * effect.
   *
   * @param reason The cause, for whoever reports it.
   */
  cancel(reason: unknown): void;
  /** The system has accepted the next `bytes` bytes of the current file range. */
  fileTaken?(bytes: number): void;
  /**
   * The current file range cannot be sent as one from byte `position` on, as where the file has become shorter: the
   * source delivers the rest of the body in pieces. Counts as a pull.
   */
  fileRefused?(position: number): void;
}

/** Bytes that stay valid for a holder that keeps them: those of the piece, or a copy if they are lent. */
export function keep(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): Uint8Array<ArrayBuffer> {
  return ownership === "lent" ? bytes.slice() : bytes;
}

/**
 * The ownership of a piece that is passed on while its bytes, or a part of them, are also kept or delivered elsewhere:
 * never `given`.
 */
export function stillHeld(ownership: Ownership): Ownership {
  return ownership === "given" ? "shared" : ownership;
}

/** Frees the memory of a piece that is no longer needed, if its holder owns it. */
export function release(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
  if (ownership === "given") detachBuffer(bytes);
}
