/**
 * What is odd about the files of one root, told once: links that lead out of it, and precompressed files that are older
 * than what they were made of.
 *
 * @module
 */

/** Something odd. Paths are absolute. */
export type FileWarning =
  /** A link that was not followed. */
  | { readonly kind: "outside"; readonly path: string; readonly leadsTo: string }
  /** A precompressed file that was passed over. */
  | { readonly kind: "stale"; readonly path: string };

/** Tells each once. Owned by one file server. */
export class FileWarnings {
  readonly #rootPath: string;
  readonly #tell: (warning: FileWarning) => void;
  readonly #told = new Set<string>();

  /**
   * @param rootPath Absolute path of the root, without a slash at the end.
   * @param tell Told of each once.
   */
  constructor(rootPath: string, tell: (warning: FileWarning) => void) {
    this.#rootPath = rootPath;
    this.#tell = tell;
  }

  /**
   * A path was refused because it leads out of the root.
   *
   * @param path Decoded path below the root.
   */
  async outside(path: string): Promise<void> {
    try {
      const realRoot = await Deno.realPath(this.#rootPath === "" ? "/" : this.#rootPath);
      // The first link on the way that leads out is meant, whatever was asked for below it.
      for (let slash = path.indexOf("/", 1);; slash = path.indexOf("/", slash + 1)) {
        const link = this.#rootPath + (slash === -1 ? path : path.slice(0, slash));
        if (this.#told.has(`outside ${link}`)) return;
        if ((await Deno.lstat(link)).isSymlink) {
          const leadsTo = await Deno.realPath(link);
          if (leadsTo !== realRoot && !leadsTo.startsWith(`${realRoot}/`)) {
            return this.#tellOnce(`outside ${link}`, { kind: "outside", path: link, leadsTo });
          }
        }
        if (slash === -1) return;
      }
    } catch {
      // Gone by now: there is nothing to tell.
    }
  }

  /**
   * A precompressed file is older than its file.
   *
   * @param path Decoded path of the precompressed file below the root.
   */
  stale(path: string): void {
    this.#tellOnce(`stale ${path}`, { kind: "stale", path: this.#rootPath + path });
  }

  #tellOnce(key: string, warning: FileWarning): void {
    // Links are made by whoever may write into the folder: their number must not fill the memory.
    if (this.#told.has(key) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(key);
    this.#tell(warning);
  }
}

const TOLD_MAX = 1000;
