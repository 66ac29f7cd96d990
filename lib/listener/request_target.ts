/**
 * The target of a request taken apart (RFC 9112, section 3.2): path, query, and the authority where it names one.
 *
 * @module
 */

import { Refusal } from "../http/refusal.ts";

/** A target's parts. */
export interface RequestTarget {
  /** Raw path; begins with `/`. */
  readonly path: string;
  /** Raw query with its `?`, or empty. */
  readonly query: string;
  /** Authority of a target in absolute form; it counts, not Host (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
}

/** The parts of `target`, or why it is refused. */
export function parseTarget(target: string, method: string): RequestTarget | Refusal {
  if (target.charCodeAt(0) === SLASH) return parsePath(target, 0, undefined);
  // The asterisk has no path. It travels as the runtime's own listener has it travel.
  if (target === "*" && method === "OPTIONS") return { path: "/*", query: "", authority: undefined };
  const scheme = target.slice(0, HTTP.length).toLowerCase() === HTTP ? HTTP.length : 0;
  if (scheme === 0) return new Refusal(400, "The target is neither a path nor an http URL");
  let end = scheme;
  while (end < target.length && target.charCodeAt(end) !== SLASH && target.charCodeAt(end) !== QUESTION_MARK) end++;
  return parsePath(target, end, target.slice(scheme, end));
}

function parsePath(target: string, start: number, authority: string | undefined): RequestTarget | Refusal {
  let query = -1;
  for (let i = start; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return ILLEGAL;
    if (query >= 0) continue;
    if (code === QUESTION_MARK) query = i;
    // No character of a path, yet some servers read it as `/`: what would be `..` to them is a name to us.
    else if (code === BACKSLASH) return ILLEGAL;
  }
  const end = query < 0 ? target.length : query;
  return {
    path: start === end ? "/" : start === 0 && end === target.length ? target : target.slice(start, end),
    query: query < 0 ? "" : target.slice(query),
    authority,
  };
}

const ILLEGAL = new Refusal(400, "The target holds characters that it may not");
const HTTP = "http://";
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const HASH = 0x23;
const BACKSLASH = 0x5c;
