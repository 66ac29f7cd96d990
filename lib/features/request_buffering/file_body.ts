/**
 * A buffered body in a file, as a source.
 *
 * @module
 */

import type { BufferedSource } from "../../exchange/body_buffering.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { BodySink } from "../../http/body.ts";
import type { BodyFile } from "./body_file.ts";

/** Bytes that are read at once. */
const READ_BYTES = 64 * 1024;

/** What a buffered body has besides its bytes. */
export interface BufferedBodyEnd {
  readonly trailers: readonly string[] | undefined;
  /** Frees what the body takes. */
  release(): void;
}

/** Delivers the file from its start. Owned by the exchange. */
export class FileBody implements BufferedSource {
  readonly #file: BodyFile;
  readonly #bytes: number;
  readonly #end: BufferedBodyEnd;
  #sink: BodySink | undefined;
  #at = 0;
  /** Whether the file is to be read from its start on. */
  #rewound = true;
  /** Whether the sink waits for a piece. */
  #wanted = false;
  #reading = false;
  #released = false;

  constructor(file: BodyFile, bytes: number, end: BufferedBodyEnd) {
    this.#file = file;
    this.#bytes = bytes;
    this.#end = end;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  pull(): void {
    this.#wanted = true;
    if (!this.#reading) this.#advance();
  }

  rewind(): void {
    this.#rewound = true;
    this.#wanted = false;
    this.#at = 0;
  }

  cancel(): void {
    this.release();
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#sink = undefined;
    // A file that is being read is closed behind the read.
    if (!this.#reading) this.#end.release();
  }

  #advance(): void {
    if (this.#released) return;
    if (this.#at < this.#bytes) {
      this.#reading = true;
      this.#read();
      return;
    }
    this.#wanted = false;
    this.#sink?.end(this.#end.trailers);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(Math.min(READ_BYTES, this.#bytes - this.#at));
    let count = 0;
    let failure: unknown;
    const rewinds = this.#rewound;
    this.#rewound = false;
    try {
      if (rewinds) await this.#file.rewind();
      count = await this.#file.read(buffer);
      if (count === 0) failure = new Error("The file is shorter than the body");
    } catch (error) {
      failure = error;
    }
    this.#reading = false;
    if (this.#released) return this.#end.release();
    if (this.#rewound) {
      if (this.#wanted) this.#advance();
    } else if (failure !== undefined) {
      this.#sink?.fail(new TransportFailure("dropped", "Cannot read the buffered body of the request", failure));
    } else {
      this.#at += count;
      this.#wanted = false;
      this.#sink?.piece(buffer.subarray(0, count), "given");
    }
  }
}
