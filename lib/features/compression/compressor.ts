/**
 * The compressors of the runtime, with their levels. They compress within the call, on the thread of the loop, whatever their
 * interface says (Deno 2.9); so a large piece is given to them in slices, with a turn of the loop between two.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import type { ContentCoding } from "../../http/accepted_codings.ts";

/** A content coding that is a coding. */
export type Coding = Exclude<ContentCoding, "">;

/** A stream of the runtime that can send what it has so far. */
export interface CompressStream extends Transform {
  flush(kind: number, done: () => void): void;
  flush(done: () => void): void;
}

/** One coding at one level. */
export interface Compressor {
  /** Coding and level. */
  readonly name: string;
  /** Largest piece that is compressed at once: about a millisecond. */
  readonly sliceBytes: number;
  /** Compresses the whole. */
  whole(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Begins a stream. */
  stream(): CompressStream;
  /** Sends what the stream has been given. */
  flush(stream: CompressStream, done: () => void): void;
}

/** The compressor of a coding. */
export function compressorOf(coding: Coding, level: number | undefined): Compressor {
  return MAKERS[coding](level);
}

const MAKERS: Readonly<Record<Coding, (level: number | undefined) => Compressor>> = {
  gzip: (level = 5) => ({
    name: `gzip ${level}`,
    sliceBytes: 64 * 1024,
    whole: (bytes) => plain(gzipSync(bytes, { level })),
    stream: () => createGzip({ level }) as unknown as CompressStream,
    // The default, a full flush, would forget the dictionary.
    flush: (stream, done) => stream.flush(constants.Z_SYNC_FLUSH, done),
  }),
  br: (level = 4) => {
    const params = { [constants.BROTLI_PARAM_QUALITY]: level };
    return {
      name: `br ${level}`,
      sliceBytes: 16 * 1024,
      whole: (bytes) =>
        plain(brotliCompressSync(bytes, { params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })),
      stream: () => createBrotliCompress({ params }) as unknown as CompressStream,
      flush: (stream, done) => stream.flush(done),
    };
  },
  zstd: (level = 3) => {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    return {
      name: `zstd ${level}`,
      sliceBytes: 64 * 1024,
      whole: (bytes) => plain(zstdCompressSync(bytes, { params })),
      stream: () => createZstdCompress({ params }) as unknown as CompressStream,
      flush: (stream, done) => stream.flush(done),
    };
  },
};

function plain(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
