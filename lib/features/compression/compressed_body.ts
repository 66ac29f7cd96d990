/**
 * A body that is compressed while it passes. Whenever its source has nothing more at once, what it has given so far is sent
 * on: events and slow pages arrive piece by piece. At most one piece of the source is held.
 *
 * @module
 */

import { type BodySink, type BodySource, keep, type Ownership } from "../../http/body.ts";
import { COMPRESSION_METRICS, type CompressionMetrics } from "./compression_metrics.ts";
import { joined } from "../../http/body_reader.ts";
import { type CompressedFile, LARGEST_BYTES } from "./compressed_files.ts";
import type { Compressor, CompressStream } from "./compressor.ts";

/** Who else has to do with a compressed body. */
export interface CompressedBodyOptions {
  readonly metrics?: CompressionMetrics | undefined;
  /** Gets the whole body, if it is complete and not large. */
  readonly take?: ((file: CompressedFile) => void) | undefined;
}

/** A compressed body. Owned by the response that has it. */
export class CompressedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #compressor: Compressor;
  readonly #metrics: CompressionMetrics | undefined;
  /** Undefined until the first piece: most memory of a compressor is taken at once. */
  #stream: CompressStream | undefined;
  #sink: BodySink | undefined;
  readonly #output: Uint8Array<ArrayBuffer>[] = [];
  /** Whether the sink waits for a piece. */
  #wanted = false;
  /** Whether the source was asked for a piece. */
  #asked = false;
  /** Whether a piece is being compressed, or what there is is being flushed. */
  #busy = false;
  /** Whether bytes were compressed since the last flush. */
  #unflushed = false;
  #sourceEnded = false;
  #trailers: readonly string[] | undefined;
  /** Whether the compressor has given its last byte. */
  #complete = false;
  #over = false;

  readonly #take: CompressedBodyOptions["take"];
  /** All pieces, for `take`; undefined where it is not called. */
  #pieces: Uint8Array<ArrayBuffer>[] | undefined;
  /** Bytes of all pieces, and of the source. */
  #bytes = 0;
  #fullBytes = 0;

  /** Takes over `source`. */
  constructor(source: BodySource, compressor: Compressor, { metrics, take }: CompressedBodyOptions = {}) {
    this.#metrics = metrics;
    this.#take = take;
    this.#pieces = take && [];
    this.#source = source;
    this.#compressor = compressor;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  pull(): void {
    this.#wanted = true;
    this.#advance();
  }

  cancel(reason: unknown): void {
    if (this.#over) return;
    this.#close();
    this.#source.cancel(reason);
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#asked = false;
    if (this.#over) return;
    this.#busy = true;
    this.#fullBytes += bytes.length;
    this.#metrics?.add(COMPRESSION_METRICS.metrics.inBytes, bytes.length);
    this.#compress(keep(bytes, ownership), 0);
  }

  end(trailers?: readonly string[]): void {
    this.#asked = false;
    this.#sourceEnded = true;
    this.#trailers = trailers;
    if (!this.#busy) this.#finish();
  }

  fail(reason: unknown): void {
    if (this.#over) return;
    this.#close();
    this.#sink?.fail(reason);
  }

  /** Delivers what there is, or asks for more. */
  #advance(): void {
    if (!this.#wanted || this.#over) return;
    const next = this.#output.shift();
    if (next !== undefined) {
      this.#wanted = false;
      this.#sink?.piece(next, "shared");
      return;
    }
    if (this.#complete) {
      this.#over = true;
      this.#sink?.end(this.#trailers);
      return;
    }
    if (this.#busy || this.#asked || this.#sourceEnded) return;
    this.#asked = true;
    this.#source.pull();
    // Nothing came at once: the client gets what there is.
    if (this.#asked && this.#unflushed && !this.#busy) this.#flush();
  }

  #compress(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    const end = Math.min(at + this.#compressor.sliceBytes, bytes.length);
    this.#unflushed = true;
    this.#open().write(bytes.subarray(at, end), () => {
      if (this.#over) return;
      if (end < bytes.length) setImmediate(() => this.#over || this.#compress(bytes, end));
      else this.#idle();
    });
  }

  #flush(): void {
    this.#busy = true;
    this.#unflushed = false;
    this.#compressor.flush(this.#open(), () => this.#over || this.#idle());
  }

  #idle(): void {
    this.#busy = false;
    if (this.#sourceEnded) this.#finish();
    else this.#advance();
  }

  #finish(): void {
    if (this.#over || this.#busy) return;
    this.#busy = true;
    this.#open().end();
  }

  #open(): CompressStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#stream = this.#compressor.stream();
    stream.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
      this.#metrics?.add(COMPRESSION_METRICS.metrics.outBytes, chunk.length);
      const piece = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      this.#output.push(piece);
      this.#bytes += piece.length;
      if (this.#bytes > LARGEST_BYTES) this.#pieces = undefined;
      this.#pieces?.push(piece);
      this.#advance();
    });
    stream.on("end", () => {
      this.#complete = true;
      if (this.#pieces !== undefined) {
        this.#take?.({ content: joined(this.#pieces, this.#bytes).slice(), fullBytes: this.#fullBytes });
      }
      this.#advance();
    });
    stream.on("error", (error: Error) => {
      if (this.#over) return;
      this.#source.cancel(error);
      this.fail(error);
    });
    return stream;
  }

  #close(): void {
    this.#over = true;
    this.#output.length = 0;
    this.#stream?.destroy();
  }
}
