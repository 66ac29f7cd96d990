/**
 * Parses URLPattern pathname syntax into what a trie can represent: leading segments that are literal or one `:name`,
 * then nothing, `*`, or a tail that only URLPattern can match.
 *
 * @module
 */

import { matchPath } from "./match_path.ts";
import { longestPathFor } from "./pattern_cost.ts";

/** Represents a `:name` segment: any one segment that is not empty. */
export const NAMED = Symbol("named segment");

/** A parsed pattern. */
export interface PatternSyntax {
  /** Whole segments with which every matching path begins: text in match form, or {@linkcode NAMED}. */
  readonly segments: readonly (string | typeof NAMED)[];
  /**
   * What follows the segments: `end` is nothing; `rest` is a slash and any text, which may be empty; a URLPattern is a
   * slash and a rest that the pattern decides, which is tested against the whole path.
   */
  readonly tail: "end" | "rest" | URLPattern;
  /** Length of the longest path that is matched against the tail: longer ones would take too long, and do not match. */
  readonly maxPathLength: number;
}

/** A pattern for which a client could choose a path whose matching takes too long. */
export class SlowPatternError extends TypeError {
  override name = "SlowPatternError";
}

/**
 * Parses a pattern.
 *
 * The result has the meaning that URLPattern gives to the pattern: literals are compared with case; `:name` is one
 * segment that is not empty; `*` at the end may be empty, but its slash is required (`/a/*` matches `/a/`, not `/a`); a
 * trailing slash is significant. Literals are converted to match form. As in URLPattern, dot segments are resolved and
 * characters that are not allowed in a URL are percent-encoded. As in {@linkcode matchPath} and unlike URLPattern,
 * unreserved characters are decoded and other escapes are in upper case.
 *
 * @param source Pattern in URLPattern pathname syntax.
 * @throws {SlowPatternError} If there are paths that cannot be matched against it in reasonable time.
 * @throws {TypeError} If URLPattern does not accept it, or a `%` does not begin an encoded byte.
 */
export function parsePattern(source: string): PatternSyntax {
  const pattern = toURLPattern(source);
  const text = pattern.pathname;
  // Every path begins with a slash, so this is the same as `/*`.
  if (text === "*") return { segments: [], tail: "rest", maxPathLength: Infinity };
  // For example `{/a}?`: no segment is required.
  if (!text.startsWith("/")) {
    return { ...richTail(pattern, [], 0), segments: [], maxPathLength: lengthFor(source, text) };
  }
  const segments: (string | typeof NAMED)[] = [];
  let from = 1;
  while (text.slice(from) !== "*") {
    const segment = readSegment(text, from);
    if (segment === undefined) {
      return { ...richTail(pattern, segments, from), maxPathLength: lengthFor(source, text) };
    }
    segments.push(segment.value === NAMED ? NAMED : toMatchForm(source, segment.value));
    if (segment.end === text.length) return { segments, tail: "end", maxPathLength: Infinity };
    from = segment.end + 1;
  }
  return { segments, tail: "rest", maxPathLength: Infinity };
}

function lengthFor(source: string, pathname: string): number {
  const length = longestPathFor(pathname);
  if (length !== undefined) return length;
  throw new SlowPatternError(
    `Cannot use route pattern "${source}": a path could be made for it whose comparison takes minutes, expected at most ` +
      "two repeats that compete for the same characters, and none within another",
  );
}

function toURLPattern(source: string): URLPattern {
  try {
    return new URLPattern({ pathname: source });
  } catch (cause) {
    throw new TypeError(`Cannot read route pattern "${source}": expected URLPattern pathname syntax`, { cause });
  }
}

interface Segment {
  readonly value: string | typeof NAMED;
  /** Index of the slash after it, or of the end of the text. */
  readonly end: number;
}

/** The segment at `from`, or undefined if it is neither literal nor one name. */
function readSegment(text: string, from: number): Segment | undefined {
  NAME_SEGMENT.lastIndex = from;
  if (NAME_SEGMENT.test(text)) return { value: NAMED, end: NAME_SEGMENT.lastIndex };
  let value = "";
  for (let at = from; at < text.length; at++) {
    let char = text[at];
    if (char === "/") return { value, end: at };
    if (SYNTAX.includes(char)) return undefined;
    if (char === "\\") {
      char = text[++at];
      if (char === undefined || char === "/") return undefined;
    }
    value += char;
  }
  return { value, end: text.length };
}

const NAME_SEGMENT = /:[A-Za-z_][A-Za-z0-9_]*(?=\/|$)/y;
/** Special characters of patterns, besides the backslash. */
const SYNTAX = ":*(){}?+";

function toMatchForm(source: string, literal: string): string {
  const plain = matchPath(literal);
  if (plain !== undefined) return plain;
  throw new TypeError(
    `Cannot read route pattern "${source}": "${literal}" has a "%" without two hexadecimal digits, expected "%25"`,
  );
}

/** Leaves the pattern from the segment at `from` on to URLPattern. */
function richTail(
  pattern: URLPattern,
  segments: (string | typeof NAMED)[],
  from: number,
): Omit<PatternSyntax, "maxPathLength"> {
  const text = pattern.pathname;
  const lead = text.slice(0, from);
  const plain = (matchPath(lead) ?? lead) + matchFormOf(text.slice(from));
  const tail = plain === text ? pattern : new URLPattern({ pathname: plain });
  // In `/a/:b?c` the slash belongs to the optional group: `/ac` matches, so `a` is not a whole segment.
  if (groupMayBeAbsent(text, from)) segments.pop();
  return { segments, tail };
}

/**
 * Converts the escapes in the text of a pattern to match form. A decoded character is written as a literal: after a
 * name a letter would extend the name, and in a regular expression a dot would match any character.
 */
function matchFormOf(text: string): string {
  let depth = 0;
  return text.replace(/\\[^]|[()]|%[0-9a-f]{2}/gi, (found) => {
    if (found === "(") depth++;
    else if (found === ")") depth--;
    else if (found[0] === "%") {
      const char = matchPath(found) as string;
      if (char.length === 3) return char;
      return depth > 0 ? `\\x${char.charCodeAt(0).toString(16)}` : `\\${char}`;
    }
    return found;
  });
}

/** Whether a group at `from` may be absent together with the slash before it. */
function groupMayBeAbsent(text: string, from: number): boolean {
  let at = from;
  if (text[at] === "*") at++;
  else if (text[at] === ":") at += /^:[\p{ID_Continue}$]+/u.exec(text.slice(at))?.[0].length ?? 0;
  else if (text[at] !== "(") return false;
  if (text[at] === "(") at = closingParenthesis(text, at) + 1;
  return text[at] === "?" || text[at] === "*";
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "(") depth++;
    else if (text[at] === ")" && --depth === 0) return at;
  }
  return text.length;
}
