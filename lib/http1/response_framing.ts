/**
 * Where the body of an answer ends, and what that means for its connection (RFC 9112, sections 6.3 and 9.3).
 *
 * @module
 */

import { ChunkedDecoder } from "./chunked_decoder.ts";
import type { UpstreamHead } from "./response_head.ts";

/** The framing of one answer, and how much of its body has been taken. */
export class ResponseFraming {
  /** How the end of the body is told. */
  readonly kind: "none" | "length" | "chunked" | "close";
  /** Whether the upstream lets the connection be used again. */
  readonly persistent: boolean;
  /** Where the last {@linkcode take} stopped: the index behind the last byte that belongs to this answer. */
  consumed = 0;
  #remaining: number;
  readonly #decoder: ChunkedDecoder | undefined;

  /**
   * @param method The request's method: answers to HEAD have no body.
   * @param bareLineFeeds Whether lines of a chunked body may end in a line feed alone. Never for requests of clients.
   */
  constructor(head: UpstreamHead, method: string, bareLineFeeds = false) {
    const bodiless = method === "HEAD" || head.status === 204 || head.status === 304;
    this.kind = bodiless ? "none" : head.chunked ? "chunked" : head.contentLength >= 0 ? "length" : "close";
    this.#remaining = this.kind === "length" ? head.contentLength : 0;
    this.#decoder = this.kind === "chunked" ? new ChunkedDecoder(bareLineFeeds) : undefined;
    this.persistent = this.kind !== "close" && head.status !== 101 && saysPersistent(head);
  }

  /** Whether all of the body has been taken. Never, where the end of the connection tells the end of the body. */
  get done(): boolean {
    if (this.#decoder !== undefined) return this.#decoder.done;
    return this.kind !== "close" && this.#remaining === 0;
  }

  /** Bytes of the body that are still to be taken, where its length was told; else 0. */
  get remaining(): number {
    return this.#remaining;
  }

  /**
   * Takes what belongs to the body from `bytes[start … end)`; the payload is moved together from `start` on.
   *
   * @returns Where the payload ends.
   * @throws {TransportFailure} `malformed`.
   */
  take(bytes: Uint8Array, start: number, end: number): number {
    if (this.#decoder !== undefined) {
      const payloadEnd = this.#decoder.decode(bytes, start, end);
      this.consumed = this.#decoder.consumed;
      return payloadEnd;
    }
    const payloadEnd = this.kind === "close" ? end : Math.min(end, start + this.#remaining);
    if (this.kind === "length") this.#remaining -= payloadEnd - start;
    this.consumed = payloadEnd;
    return payloadEnd;
  }
}

function saysPersistent(head: UpstreamHead): boolean {
  const connection = head.connection?.toLowerCase();
  if (head.minorVersion === 1) return connection === undefined || !connection.includes("close");
  return connection !== undefined && connection.includes("keep-alive") && !connection.includes("close");
}
