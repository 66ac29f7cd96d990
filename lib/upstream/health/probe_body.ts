/**
 * The body of a response to a probe, read with its trailer fields.
 *
 * @module
 */

import { type BodySink, type BodySource, keep, type Ownership } from "../../http/body.ts";
import { joined } from "../../http/body_reader.ts";

/** A body that has ended. */
export interface EndedBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Trailer lines; undefined where there are none. */
  readonly trailers: readonly string[] | undefined;
}

/** Reads one body, which may be small alone. */
export class ProbeBody implements BodySink {
  readonly #source: BodySource;
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  readonly #ended = Promise.withResolvers<EndedBody>();

  constructor(source: BodySource) {
    this.#source = source;
    source.start(this);
    source.pull();
  }

  /** The whole body. Rejects if it breaks off or is too large. */
  get ended(): Promise<EndedBody> {
    return this.#ended.promise;
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#pieces.push(keep(bytes, ownership));
    this.#bytes += bytes.length;
    if (this.#bytes <= MAX_BYTES) return this.#source.pull();
    this.#source.cancel("The response to a probe is too large");
    this.fail(new Error(`the body of the response is larger than ${MAX_BYTES} bytes`));
  }

  end(trailers?: readonly string[]): void {
    this.#ended.resolve({ bytes: joined(this.#pieces, this.#bytes), trailers });
  }

  fail(reason: unknown): void {
    this.#ended.reject(reason);
  }
}

const MAX_BYTES = 64 * 1024;
