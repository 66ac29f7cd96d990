/**
 * From the raw path of a request to the path of a file below a root. A path is decoded exactly once. Then dot segments
 * are resolved and repeated slashes are merged, as file systems and other file servers do. A path that leaves the root
 * at any point is refused, as is a path with names that could be read in another way.
 *
 * @module
 */

/** Rules for the names of files. */
export interface PathRules {
  /** Whether segments that begin with a dot are served; `.well-known` always is (RFC 8615). */
  readonly dotfiles: boolean;
  /** Whether names with a special meaning on Windows are refused. */
  readonly windows: boolean;
}

/**
 * Decodes a raw request path.
 *
 * @param rawPath Path as received, without the query; begins with `/`.
 * @param rules Rules for the names of files.
 * @returns The decoded path, which begins with `/` and has neither `.`, `..` nor empty segments (it may end with `/`);
 * 400 if the path is malformed (percent-encoding, UTF-8, control characters); 404 if it names nothing that can be
 * served.
 *
 * @example
 * ```ts
 * import { readRequestPath } from "./request_path.ts";
 *
 * const rules = { dotfiles: false, windows: false };
 * console.log(readRequestPath("/a%20b.txt", rules)); // "/a b.txt"
 * console.log(readRequestPath("/docs/../a//b.txt", rules)); // "/a/b.txt"
 * console.log(readRequestPath("/%2e%2e/etc/passwd", rules)); // 404
 * ```
 */
export function readRequestPath(rawPath: string, rules: PathRules): string | 400 | 404 {
  let path = rawPath;
  if (rawPath.includes("%")) {
    try {
      path = decodeURIComponent(rawPath);
    } catch {
      return 400; // invalid percent-encoding or UTF-8 (also overlong forms and surrogates)
    }
    // An encoded separator is data, not a separator (RFC 3986, section 2.2), and no file name contains one.
    if (hasEncodedSeparator(rawPath)) return 404;
  }
  if (!path.startsWith("/") || !path.isWellFormed() || CONTROL.test(path)) return 400;
  const plain = SPECIAL_SEGMENT.test(path) ? resolveSegments(path) : path;
  return plain !== undefined && servablePath(plain, rules) ? plain : 404;
}

/** Whether a raw path contains an encoded slash or backslash. */
export function hasEncodedSeparator(rawPath: string): boolean {
  return ENCODED_SEPARATOR.test(rawPath);
}

/** The decoded path without empty and dot segments; undefined if it leaves the root at any point. */
function resolveSegments(path: string): string | undefined {
  const kept: string[] = [];
  const segments = path.slice(1).split("/");
  for (const segment of segments) {
    if (segment === "..") {
      if (kept.pop() === undefined) return undefined;
    } else if (segment !== "." && segment !== "") kept.push(segment);
  }
  const last = segments[segments.length - 1];
  if (kept.length === 0) return "/";
  return `/${kept.join("/")}${last === "" || last === "." || last === ".." ? "/" : ""}`;
}

/**
 * Whether a decoded path may be looked up below a root. For paths that were built from the path of a request.
 *
 * @param path Decoded path; begins with `/`.
 * @param rules Rules for the names of files.
 */
export function servablePath(path: string, rules: PathRules): boolean {
  if (path.length > PATH_MAX_LENGTH || !path.startsWith("/")) return false;
  let start = 1;
  while (start < path.length) {
    const slash = path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    if (!servableName(path.slice(start, end), rules)) return false;
    start = end + 1;
  }
  return true;
}

/**
 * Whether a name, one segment of a decoded path, may be served.
 *
 * @param name Name of a file or folder.
 * @param rules Rules for the names of files.
 */
export function servableName(name: string, rules: PathRules): boolean {
  if (name === "" || name === "." || name === "..") return false;
  if (name.startsWith(".") && !rules.dotfiles && name !== ".well-known") return false;
  // A backslash is a separator on Windows only; it is refused everywhere, so that a site can be moved safely.
  if (name.includes("/") || name.includes("\\")) return false;
  if (CONTROL.test(name) || !name.isWellFormed()) return false;
  return !rules.windows || !windowsSpecial(name);
}

/** No file system looks up longer paths. */
const PATH_MAX_LENGTH = 4096;

const SPECIAL_SEGMENT = /\/\.{0,2}(?:\/|$)/;

const ENCODED_SEPARATOR = /%(?:2f|5c)/i;

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Whether Windows would open something else than a file of that name: streams (`a.txt::$DATA`), drives (`C:`), devices
 * (`con`, `aux.txt`), names whose trailing dots and spaces it removes, and short names (`GIT~1` for `.git`).
 */
function windowsSpecial(name: string): boolean {
  return /[<>:"|?*]/.test(name) || /[. ]$/.test(name) || /~\d/.test(name) ||
    /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[\d¹²³]|lpt[\d¹²³])(?: *\.|$)/i.test(name);
}
