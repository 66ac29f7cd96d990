/**
 * Warnings about the files of one root, each reported once: links that lead out of it, and precompressed files that are
 * older than the files that they were made from.
 *
 * @module
 */

/** A warning. Paths are absolute. */
export type FileWarning =
  /** A link that was not followed. */
  | { readonly kind: "outside"; readonly path: string; readonly leadsTo: string }
  /** A precompressed file that was not used. */
  | { readonly kind: "stale"; readonly path: string };

/** Reports each warning once. Owned by one file server. */
export class FileWarnings {
  readonly #rootPath: string;
  readonly #report: (warning: FileWarning) => void;
  readonly #reported = new Set<string>();

  /**
   * @param rootPath Absolute path of the root, without a trailing slash.
   * @param report Called once for each warning.
   */
  constructor(rootPath: string, report: (warning: FileWarning) => void) {
    this.#rootPath = rootPath;
    this.#report = report;
  }

  /**
   * Reports that a path was refused because it leads out of the root.
   *
   * @param path Decoded path below the root.
   */
  async outside(path: string): Promise<void> {
    try {
      const realRoot = await Deno.realPath(this.#rootPath === "" ? "/" : this.#rootPath);
      // The first link on the path that leads out is reported, whatever was requested below it.
      for (let slash = path.indexOf("/", 1);; slash = path.indexOf("/", slash + 1)) {
        const link = this.#rootPath + (slash === -1 ? path : path.slice(0, slash));
        if (this.#reported.has(`outside ${link}`)) return;
        if ((await Deno.lstat(link)).isSymlink) {
          const leadsTo = await Deno.realPath(link);
          if (leadsTo !== realRoot && !leadsTo.startsWith(`${realRoot}/`)) {
            return this.#reportOnce(`outside ${link}`, { kind: "outside", path: link, leadsTo });
          }
        }
        if (slash === -1) return;
      }
    } catch {
      // The file no longer exists, so there is nothing to report.
    }
  }

  /**
   * Reports that a precompressed file is older than its file.
   *
   * @param path Decoded path of the precompressed file below the root.
   */
  stale(path: string): void {
    this.#reportOnce(`stale ${path}`, { kind: "stale", path: this.#rootPath + path });
  }

  #reportOnce(key: string, warning: FileWarning): void {
    // Whoever may write into the folder can make any number of links, so the set is bounded.
    if (this.#reported.has(key) || this.#reported.size >= REPORTED_MAX) return;
    this.#reported.add(key);
    this.#report(warning);
  }
}

const REPORTED_MAX = 1000;
