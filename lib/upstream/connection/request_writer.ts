/**
 * The way out of a connection to an upstream: heads and bodies of requests become bytes, and bytes are written.
 *
 * @module
 */

import type { Deadlines } from "./deadlines.ts";
import type { Wire } from "../../sockets/wire.ts";

/** Writes requests. Owned by its connection. */
export class RequestWriter {
  readonly #wire: Wire;
  readonly #deadlines: Deadlines;
  readonly #onBroken: (error: unknown) => void;
  #out = new Uint8Array(OUT_BYTES);
  /** What {@linkcode post} has still to write. */
  #posted: Uint8Array | undefined;

  /** @param onBroken Told when what was posted could not be written. */
  constructor(wire: Wire, deadlines: Deadlines, onBroken: (error: unknown) => void) {
    this.#wire = wire;
    this.#deadlines = deadlines;
    this.#onBroken = onBroken;
  }

  /** Whether all that was posted is written. */
  get idle(): boolean {
    return this.#posted === undefined;
  }

  /**
   * Writes a head. Not awaited: the answer tells soon enough that it was written, and the promises of waiting are saved.
   *
   * @param head One character a byte, with its empty line.
   */
  post(head: string): void {
    this.#post(this.#encode(head));
  }

  /**
   * Writes a head, and what of its body is at hand, in one piece.
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

  /** Lets go of memory that an unusual request took. */
  trim(): void {
    if (this.#out.length > 4 * OUT_BYTES) this.#out = new Uint8Array(OUT_BYTES);
  }

  #encode(head: string, body?: Uint8Array): Uint8Array {
    const size = head.length + (body?.length ?? 0);
    if (this.#out.length < size) this.#out = new Uint8Array(size + OUT_BYTES);
    // Heads are almost always ASCII, where the encoder is fastest; other bytes are written one by one. A head that
    // fills the buffer may be cut off there, with as many bytes written as it should have.
    const { read, written } = encoder.encodeInto(head, this.#out);
    if (read !== head.length || written !== head.length) writeLatin1(head, this.#out);
    if (body !== undefined) this.#out.set(body, head.length);
    return this.#out.subarray(0, size);
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
  };

  readonly #broke = (error: unknown): void => {
    this.#deadlines.endWrite();
    this.#onBroken(error);
  };
}

const OUT_BYTES = 2 * 1024;
const encoder = new TextEncoder();

function writeLatin1(text: string, target: Uint8Array): void {
  for (let i = 0; i < text.length; i++) target[i] = text.charCodeAt(i);
}
