/**
 * Files that were compressed once, for later requests. What they take is limited; the one that was not used for the longest
 * time goes first.
 *
 * @module
 */

/** Most bytes of all files of a worker. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Largest file, compressed. */
export const LARGEST_BYTES = 4 * 1024 * 1024;

/** A compressed file. */
export interface CompressedFile {
  /** Compressed content, which is not changed any more. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** Its length before. */
  readonly fullBytes: number;
}

/** Compressed content by its key. Owned by the process; outlives generations, as the keys name the content. */
export class CompressedFiles {
  readonly #mostBytes: number;
  /** The one that was used last is the last. */
  readonly #files = new Map<string, CompressedFile>();
  #bytes = 0;

  constructor(mostBytes: number = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The compressed file; undefined where it is not kept. */
  get(key: string): CompressedFile | undefined {
    const found = this.#files.get(key);
    if (found === undefined) return undefined;
    this.#files.delete(key);
    this.#files.set(key, found);
    return found;
  }

  /** Keeps a compressed file, if it is not too large. */
  add(key: string, file: CompressedFile): void {
    const { content } = file;
    if (content.length > LARGEST_BYTES) return;
    this.#remove(key);
    this.#files.set(key, file);
    this.#bytes += content.length;
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#mostBytes) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#files.get(key)?.content.length ?? 0;
    this.#files.delete(key);
  }
}

/** The compressed files of this worker. */
export const compressedFiles = new CompressedFiles();
