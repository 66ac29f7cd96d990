/**
 * Which files may be served for a path, in order. Without `try_files`, the path itself as a file and then as a folder;
 * single-page applications end with a fixed file that is served for all their routes.
 *
 * @module
 */

import { type PathRules, servablePath } from "./request_path.ts";

/** A compiled list of candidates. */
export interface TryFiles {
  /**
   * Paths to look up for a decoded request path, in order; a trailing slash means a folder. Without `fixed`, templates
   * that do not begin with `$path` are left out.
   */
  candidates(path: string, fixed?: boolean): string[];
  /** Status code if no candidate exists. */
  readonly missingStatus: number;
  /** Whether the request path itself is always the first candidate. */
  readonly pathFirst: boolean;
}

/**
 * Compiles a list of templates.
 *
 * @param templates Each begins with `$path` (the path of the request) or `/` (a fixed path); those that end with `/`
 * mean a folder that has an index file or may be listed, all others mean a file. The last may be `=` and a status code
 * of 400 to 599. An empty list means `["$path", "$path/"]`.
 * @param rules Rules for the names of files; a candidate that violates them is left out.
 * @throws {TypeError} If a template is none of these.
 *
 * @example
 * ```ts
 * import { compileTryFiles } from "./try_files.ts";
 *
 * const tryFiles = compileTryFiles(["$path", "$path.html", "/index.html"], { dotfiles: false, windows: false });
 * console.log(tryFiles.candidates("/about")); // ["/about", "/about.html", "/index.html"]
 * ```
 */
export function compileTryFiles(templates: readonly string[], rules: PathRules): TryFiles {
  const last = templates.at(-1);
  const missingStatus = last?.startsWith("=") ? statusIn(last) : 404;
  const paths = last?.startsWith("=") ? templates.slice(0, -1) : templates;
  for (const template of paths) {
    if (!template.startsWith("$path") && !template.startsWith("/")) {
      throw new TypeError(`Cannot read try_files: found "${template}", expected "$path…", "/…" or a last "=404"`);
    }
  }
  const used = templates.length > 0 ? paths : ["$path", "$path/"];
  return {
    missingStatus,
    pathFirst: used[0] === "$path",
    candidates(path, fixed = true) {
      const candidates: string[] = [];
      for (const template of used) {
        if (!fixed && !template.startsWith("$path")) continue;
        const candidate = template.startsWith("$path") ? join(path, template.slice(5)) : template;
        if (candidate === undefined || candidates.includes(candidate)) continue;
        if (servablePath(candidate, rules)) candidates.push(candidate);
      }
      return candidates;
    },
  };
}

function statusIn(template: string): number {
  const status = Number(template.slice(1));
  if (/^=\d{3}$/.test(template) && status >= 400 && status <= 599) return status;
  throw new TypeError(`Cannot read try_files: found "${template}", expected "=" and a status of 400 to 599`);
}

/** A path with a trailing slash can only be extended below the folder: `/docs/` and `.html` give no file. */
function join(path: string, suffix: string): string | undefined {
  if (!path.endsWith("/") || suffix === "") return path + suffix;
  return suffix.startsWith("/") ? path + suffix.slice(1) : undefined;
}
