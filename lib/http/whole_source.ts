/**
 * A body that is here already, as a source: for those who take sources alone.
 *
 * @module
 */

import type { BodySink, BodySource } from "./body.ts";

/** Delivers bytes in one piece. */
export class WholeSource implements BodySource {
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #sink: BodySink | undefined;

  /** @param bytes Never changed, and at least one. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  pull(): void {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (bytes === undefined) this.#sink?.end();
    else this.#sink?.piece(bytes, "shared");
  }

  cancel(): void {
    this.#sink = undefined;
  }
}
