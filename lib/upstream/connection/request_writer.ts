/**
 * Writes heads and bodies of requests to the wire of an upstream connection.
 *
 * @module
 */

import { HeadWriter } from "../../http1/head_writer.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Wire } from "../../sockets/wire.ts";

/** Writes requests. Owned by its connection. */
export class RequestWriter {
  readonly #wire: Wire;
  readonly #deadlines: Deadlines;
  readonly #onBroken: (error: unknown) => void;
  readonly #out = new HeadWriter();
  /** Bytes that {@linkcode post} has not written yet. */
  #posted: Uint8Array | undefined;

  /** @param onBroken Called when posted bytes could not be written. */
  constructor(wire: Wire, deadlines: Deadlines, onBroken: (error: unknown) => void) {
    this.#wire = wire;
    this.#deadlines = deadlines;
    this.#onBroken = onBroken;
  }

  /** Whether all posted bytes are written. */
  get idle(): boolean {
    return this.#posted === undefined;
  }

  /**
   * Writes a head, and the whole body where there is one. Not awaited: a response shows that the request was written,
   * and the promises of a wait are saved.
   *
   * @param head One character a byte, with its empty line.
   */
  post(head: string, body?: Uint8Array): void {
    this.#post(this.#encode(head, body));
  }

  /**
   * Writes a head and the given bytes of its body, in one piece.
   *
   * @param head One character a byte, with its empty line.
   * @throws What the wire throws.
   */
  sendHead(head: string, body?: Uint8Array): Promise<void> {
    return this.send(this.#encode(head, body));
  }

  /**
   * Writes bytes as they are.
   *
   * @param bytes Must not change until the promise settles.
   * @throws What the wire throws.
   */
  async send(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        this.#deadlines.awaitWrite();
        const taken = await this.#wire.write(rest);
        if (taken === rest.length) break;
        rest = rest.subarray(taken);
      }
    } finally {
      this.#deadlines.endWrite();
    }
  }

  /** Releases the buffer of an unusually large request. */
  trim(): void {
    this.#out.trim();
  }

  #encode(head: string, body?: Uint8Array): Uint8Array {
    const out = this.#out;
    out.clear();
    out.text(head);
    if (body !== undefined) out.copy(body);
    return out.written;
  }

  #post(bytes: Uint8Array): void {
    this.#posted = bytes;
    this.#deadlines.awaitWrite();
    this.#wire.write(bytes).then(this.#wrote, this.#broke);
  }

  readonly #wrote = (taken: number): void => {
    const posted = this.#posted as Uint8Array;
    this.#deadlines.endWrite();
    this.#posted = undefined;
    if (taken < posted.length) this.#post(posted.subarray(taken));
    // From now on the upstream's silence counts.
    else if (this.#deadlines.uploading) this.#deadlines.uploaded();
  };

  readonly #broke = (error: unknown): void => {
    this.#deadlines.endWrite();
    this.#onBroken(error);
  };
}
