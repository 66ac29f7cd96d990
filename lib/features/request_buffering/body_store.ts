/**
 * Where the bytes of one buffered body are: in memory, or in a file once they are many. What all bodies of a worker take is
 * limited.
 *
 * @module
 */

import { type BufferedSource, StorageFailure } from "../../exchange/body_buffering.ts";
import { BodyFile } from "./body_file.ts";
import { FileBody } from "./file_body.ts";
import { MemoryBody } from "./memory_body.ts";
import { PieceList } from "./piece_list.ts";
import type { RequestBufferingConfig } from "./request_buffering_schema.ts";

/** Most bytes of buffered bodies in the memory of a worker; beyond them each body goes into a file at once. */
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Bytes that are written at once. */
const WRITE_BYTES = 256 * 1024;

/** Bytes of all buffered bodies of this worker. Outlives generations, as bodies do. */
export const buffered = { memoryBytes: 0, fileBytes: 0 };

/** The bytes of one body. Owned by who reads it, and then by the source that {@linkcode finish} makes. */
export class BodyStore {
  /** Bytes that were added. */
  bytes = 0;
  readonly #config: RequestBufferingConfig;
  readonly #pieces = new PieceList();
  /** Bytes in memory, and in the file, that are counted. */
  #memoryBytes = 0;
  #fileBytes = 0;
  #file: BodyFile | undefined;
  #released = false;

  constructor(config: RequestBufferingConfig) {
    this.#config = config;
  }

  /**
   * Adds a piece, which stays valid. The next one only once the promise is fulfilled, where there is one.
   *
   * @throws {StorageFailure} When there is no room for it.
   */
  add(piece: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    this.#pieces.add(piece);
    this.bytes += piece.length;
    this.#countMemory(this.#memoryBytes + piece.length);
    const inFile = this.#file !== undefined || this.bytes > this.#config.max_memory ||
      buffered.memoryBytes > MEMORY_BYTES;
    return inFile && (this.#file === undefined || this.#memoryBytes >= WRITE_BYTES) ? this.#write() : undefined;
  }

  /**
   * The whole body. Nothing may be added any more.
   *
   * @throws {StorageFailure} When there is no room for the rest.
   */
  async finish(trailers: readonly string[] | undefined): Promise<BufferedSource> {
    const release = () => this.release();
    if (this.#file === undefined) {
      return new MemoryBody(this.#pieces.take(), { trailers, release });
    }
    if (this.#memoryBytes > 0) await this.#write();
    return new FileBody(this.#file, this.bytes, { trailers, release });
  }

  /** Frees memory and file. Further calls have no effect. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#countMemory(0);
    buffered.fileBytes -= this.#fileBytes;
    this.#fileBytes = 0;
    this.#pieces.clear();
    this.#file?.close();
  }

  async #write(): Promise<void> {
    const { folder, max_total } = this.#config;
    const bytes = this.#memoryBytes;
    if (buffered.fileBytes + bytes > max_total) {
      throw new StorageFailure(
        507,
        `Cannot buffer the request's body: files of buffered bodies have ${max_total} bytes`,
      );
    }
    // Counted before it is written: others write at the same time.
    this.#fileBytes += bytes;
    buffered.fileBytes += bytes;
    const batch = this.#pieces.take();
    this.#file ??= await BodyFile.create(folder);
    await this.#file.append(batch);
    this.#countMemory(0);
  }

  #countMemory(bytes: number): void {
    buffered.memoryBytes += bytes - this.#memoryBytes;
    this.#memoryBytes = bytes;
  }
}
