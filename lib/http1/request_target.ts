/**
 * The target of a request taken apart (RFC 9112, section 3.2): path, query, and the authority where it names one.
 *
 * @module
 */

import type { RouteChoice } from "../http/message.ts";
import type { Head } from "./head.ts";
import { KnownTable } from "./known_table.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { hex } from "./octets.ts";

/** A target's parts, and the route that was last chosen for it. */
export class RequestTarget implements RouteChoice {
  /** Raw path; begins with `/`. */
  readonly path: string;
  /** Raw query with its `?`, or empty. */
  readonly query: string;
  /** Authority of a target in absolute form; it counts, not Host (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
  site = 0;
  method = "";
  route = -1;

  constructor(path: string, query: string, authority: string | undefined) {
    this.path = path;
    this.query = query;
    this.authority = authority;
  }
}

/**
 * The parts of the target of a head without octets above 0x7F: the same object as before where they are known.
 *
 * @throws {MalformedMessage} As {@linkcode parseTarget} does.
 */
export function readTarget(head: Head, method: string): RequestTarget {
  const { bytes, start, methodLength, targetEnd } = head;
  const from = start + methodLength + 1;
  if (bytes[from] === SLASH) {
    const target = known.find(bytes, from, start + targetEnd);
    if (target !== undefined) return target;
  }
  // One that is not known seldom comes alone.
  head.decode();
  return parseTarget(head.text(methodLength + 1, targetEnd), method);
}

/**
 * The parts of `target`. The authority form, which CONNECT alone has, is none of those that are known here.
 *
 * @throws {MalformedMessage} When it is no target, or holds what it may not.
 */
export function parseTarget(target: string, method: string): RequestTarget {
  if (target.charCodeAt(0) === SLASH) return parsePath(target, 0, undefined);
  // The asterisk has no path. It travels as the runtime's own listener has it travel.
  if (target === "*" && method === "OPTIONS") return new RequestTarget("/*", "", undefined);
  // The listener alone tells the scheme of a request: the target's is not believed.
  const scheme = startsWith(target, HTTP) ? HTTP.length : startsWith(target, HTTPS) ? HTTPS.length : 0;
  if (scheme === 0) throw new MalformedMessage("its target is neither a path nor an http URL");
  let end = scheme;
  while (end < target.length && target.charCodeAt(end) !== SLASH && target.charCodeAt(end) !== QUESTION_MARK) end++;
  return parsePath(target, end, target.slice(scheme, end));
}

function parsePath(target: string, start: number, authority: string | undefined): RequestTarget {
  let query = -1;
  for (let i = start; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === HASH) throw illegal(code);
    if (query >= 0) continue;
    if (code === QUESTION_MARK) query = i;
    // No character of a path, yet some servers read it as `/`: what would be `..` to them is a name to us.
    else if (code === BACKSLASH) throw illegal(code);
  }
  const end = query < 0 ? target.length : query;
  const path = start === end ? "/" : start === 0 && end === target.length ? target : target.slice(start, end);
  return new RequestTarget(path, query < 0 ? "" : target.slice(query), authority);
}

// Schemes compare without case (RFC 3986, section 3.1).
function startsWith(target: string, scheme: string): boolean {
  return target.slice(0, scheme.length).toLowerCase() === scheme;
}

function illegal(code: number): MalformedMessage {
  return new MalformedMessage(`its target holds a character that it may not (${hex(code)})`);
}

const HTTP = "http://";
const HTTPS = "https://";
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const HASH = 0x23;
const BACKSLASH = 0x5c;

/** Targets that begin with `/`, for which the method does not count. */
const known = new KnownTable((target) => parsePath(target, 0, undefined), 4096);
