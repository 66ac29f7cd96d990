/**
 * The form of a path in which routes are matched, and checks on paths. The raw path is forwarded; the match path only
 * selects the route.
 *
 * @module
 */

/**
 * The match path of `rawPath`: percent-encoded unreserved characters are decoded (RFC 3986, section 6.2.2.2), so that
 * `/%61pi` cannot bypass a route for `/api`. All other encodings are kept with their digits in upper case (section
 * 6.2.2.1), above all `%2F`, which is not a separator. Dot segments are kept, also those that appear by decoding.
 * Nothing is decoded twice, and the number of segments does not change.
 *
 * @param rawPath A path as the client sent it, without the query.
 * @returns The match path, the same string if nothing is encoded; undefined if a `%` is not followed by two hexadecimal
 * digits, which proxy and upstream might read differently (400).
 *
 * @example
 * ```ts
 * if (matchPath("/%61pi/a%2Fb/%2e%2e") !== "/api/a%2Fb/..") throw new Error("expected unreserved characters decoded");
 * ```
 */
export function matchPath(rawPath: string): string | undefined {
  let at = rawPath.indexOf("%");
  if (at === -1) return rawPath;
  let plain = "";
  let from = 0;
  for (; at !== -1; at = rawPath.indexOf("%", at + 3)) {
    const high = hexDigit(rawPath.charCodeAt(at + 1));
    const low = hexDigit(rawPath.charCodeAt(at + 2));
    if (high < 0 || low < 0) return undefined;
    const code = high * 16 + low;
    if (UNRESERVED[code] === 1) plain += rawPath.slice(from, at) + String.fromCharCode(code);
    else if (isLower(rawPath, at + 1) || isLower(rawPath, at + 2)) {
      plain += rawPath.slice(from, at) + rawPath.slice(at, at + 3).toUpperCase();
    } else continue;
    from = at + 3;
  }
  return from === 0 ? rawPath : plain + rawPath.slice(from);
}

/**
 * The match path of a path from the config: characters that cannot occur in a request line (spaces, non-ASCII) are
 * percent-encoded first. Undefined as for {@linkcode matchPath}.
 *
 * @example
 * ```ts
 * if (writtenPath("/stra\u00dfe") !== "/stra%C3%9Fe") throw new Error("expected percent-encoding");
 * ```
 */
export function writtenPath(path: string): string | undefined {
  return matchPath(encodeWritten(path));
}

/** A path from the config, with the characters percent-encoded that cannot occur in a request line. */
export function encodeWritten(path: string): string {
  return path.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text.toWellFormed()));
}

/**
 * Whether a match path contains a segment `.` or `..`, also one with path parameters (`..;x`), which some servers read
 * as `..`. Not for raw paths: segments that are written with `%2e` are not detected.
 */
export function hasDotSegments(path: string): boolean {
  for (let at = path.indexOf("/."); at !== -1; at = path.indexOf("/.", at + 2)) {
    const dots = path.charCodeAt(at + 2) === DOT ? 2 : 1;
    const end = at + 1 + dots;
    const code = path.charCodeAt(end);
    if (end === path.length || code === SLASH || code === SEMICOLON) return true;
  }
  return false;
}

/**
 * A match path with its dot segments resolved (RFC 3986, section 5.2.4). A `..` at the root stays at the root;
 * {@linkcode climbs} detects it. Empty segments count as segments: `/a//../b` is `/a/b`.
 *
 * @param path A match path; begins with `/`.
 */
export function resolveDots(path: string): string {
  return hasDotSegments(path) ? resolved(path, dotsOf) : path;
}

/**
 * Whether a match path leaves its root at any point, as `/a/../../b` does, in any of its {@linkcode resolvedReadings}.
 * Empty segments do not count as depth, although RFC 3986 counts them: file systems and servers that merge slashes
 * leave the root on `/a//../..`.
 *
 * @param path A match path; begins with `/`.
 */
export function climbs(path: string): boolean {
  return path.includes("%") ? splittings(path).some(leavesRoot) : leavesRoot(path);
}

/**
 * All paths to which servers may resolve a match path with dot segments: slashes merged first (nginx) or empty segments
 * counted (RFC 3986); `%2F` and `%5C` decoded first or not; `..;x` as a dot segment (servlet containers) or as a name.
 * Empty if none of these readings has dot segments.
 *
 * @param path A match path; begins with `/`.
 *
 * @example
 * ```ts
 * const readings = [...resolvedReadings("/a//../b")];
 * if (readings.join() !== "/a/b,/b") throw new Error("expected slashes kept, and merged");
 * if (resolvedReadings("/a%2Fb").size !== 0) throw new Error("expected an encoded separator to be part of a name");
 * ```
 */
export function resolvedReadings(path: string): ReadonlySet<string> {
  const spread = path.includes("%") ? splittings(path) : [path];
  // The last one has the most separators, and therefore the most dot segments.
  if (!hasDotSegments(spread[spread.length - 1])) return NO_READINGS;
  const readings = new Set<string>();
  for (const text of spread) {
    for (const split of text.includes("//") ? [text, text.replace(/\/{2,}/g, "/")] : [text]) {
      readings.add(resolved(split, dotsOf));
      if (split.includes(";")) readings.add(resolved(split, plainDotsOf));
    }
  }
  return readings;
}

/**
 * The remainder of a raw path after a route's prefix. As many segments are removed as the prefix has, however they are
 * encoded; the bytes of the remainder are not changed. Path parameters are kept if the path ends with the prefix: they
 * are often a session id.
 *
 * @param rawPath A raw path whose match path (with dot segments) is below `prefix`.
 * @param prefix The path of a prefix route.
 * @returns The remainder; always begins with `/`.
 *
 * @example
 * ```ts
 * if (dropSegments("/%61pi//x%2fy", "/api") !== "//x%2fy") throw new Error("expected unchanged bytes");
 * if (dropSegments("/api", "/api") !== "/") throw new Error("expected the root");
 * ```
 */
export function dropSegments(rawPath: string, prefix: string): string {
  let at = 0;
  for (let slash = prefix.indexOf("/"); slash !== -1; slash = prefix.indexOf("/", slash + 1)) {
    // A trailing slash begins no further segment.
    if (slash === prefix.length - 1) break;
    const start = at + 1;
    at = rawPath.indexOf("/", start);
    if (at !== -1) continue;
    const parameters = rawPath.indexOf(";", start);
    return parameters === -1 ? "/" : "/" + rawPath.slice(parameters);
  }
  return at === 0 ? rawPath : rawPath.slice(at);
}

const DOT = 0x2e;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;

const NO_READINGS: ReadonlySet<string> = new Set();

/** A match path and its variants with encoded separators decoded, the one with all of them decoded last. */
function splittings(path: string): string[] {
  const slashes = path.replaceAll("%2F", "/");
  const backslashes = path.replaceAll("%5C", "/");
  if (slashes === path) return backslashes === path ? [path] : [path, backslashes];
  return backslashes === path ? [path, slashes] : [path, slashes, backslashes, slashes.replaceAll("%5C", "/")];
}

function leavesRoot(path: string): boolean {
  if (!hasDotSegments(path)) return false;
  let depth = 0;
  for (const segment of path.split("/")) {
    const dots = dotsOf(segment);
    if (dots === "..") depth--;
    else if (dots === "" && segment !== "") depth++;
    if (depth < 0) return true;
  }
  return false;
}

function resolved(path: string, dotsOf: (segment: string) => "." | ".." | ""): string {
  const kept: string[] = [];
  const segments = path.slice(1).split("/");
  for (const segment of segments) {
    const dots = dotsOf(segment);
    if (dots === "..") kept.pop();
    else if (dots === "") kept.push(segment);
  }
  // A dot segment at the end is the folder: `/a/.` is `/a/`.
  if (dotsOf(segments[segments.length - 1]) !== "") kept.push("");
  return "/" + kept.join("/");
}

/** The segment if it is exactly `.` or `..`, else the empty string. */
function plainDotsOf(segment: string): "." | ".." | "" {
  return segment === "." || segment === ".." ? segment : "";
}

/** `.` or `..` if the segment is one, with or without path parameters, else the empty string. */
function dotsOf(segment: string): "." | ".." | "" {
  if (segment.charCodeAt(0) !== DOT) return "";
  const end = segment.indexOf(";");
  const name = end === -1 ? segment : segment.slice(0, end);
  return name === "." || name === ".." ? name : "";
}

function isLower(text: string, at: number): boolean {
  return text.charCodeAt(at) >= 0x61;
}

/** 1 for each code of an unreserved character (RFC 3986, section 2.3). */
const UNRESERVED: Uint8Array = unreservedTable();

function unreservedTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
    table[char.charCodeAt(0)] = 1;
  }
  return table;
}

/** Value of a hexadecimal digit, or -1, also for NaN (past the end of a string). */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
