/**
 * Reads a `Request`. Only this module reads its URL, and it checks the authority first.
 *
 * @module
 */

import { plainAddress } from "../../http/ip_address.ts";
import { hostOf } from "../../http/authority.ts";
import { isToken, listMembers } from "../../http/header_lines.ts";
import type { HeaderLines, Peer, RequestHead } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import { encodedTarget, escapedTarget, isPlainTarget } from "../../http/target.ts";
import type { Responder } from "../../exchange/responder.ts";
import { hasUnannouncedBody } from "./unannounced_body.ts";

/** What is known of a connection; `Deno.ServeHandlerInfo` is one. */
export interface ConnectionInfo {
  /** The peer's address. */
  readonly remoteAddr?: Deno.Addr | undefined;
}

/** The listener of a request. */
export interface Entry extends ReadOptions {
  /** Responds to its requests. */
  readonly responder: Responder;
}

/** What is known of requests before they are read. */
export interface ReadOptions {
  /**
   * Whether BWS opened the port: then requests and responses are those of the runtime's server. False where another
   * program calls, which may create requests itself, and may have its own tracing.
   */
  readonly ownPort: boolean;
  /**
   * Scheme of the listener: a target in absolute form may name another. Undefined where only the URL has it.
   */
  readonly scheme?: "http" | "https" | undefined;
  /** Whether bodies of GET and HEAD can be read, which the runtime does not give. For explanations alone. */
  readonly readsAllBodies?: boolean;
}

/** The head of `request`, or why it is refused. */
export function readRequest(
  request: Request,
  info: ConnectionInfo | undefined,
  entry: ReadOptions,
): RequestHead | Refusal {
  const { method } = request;
  if (method === "CONNECT") return new Refusal(405, "CONNECT asks for a tunnel, and this is no forward proxy");
  const url = lowerCaseScheme(request.url);
  const secure = url.charCodeAt(4) === LETTER_S;
  const authorityStart = secure ? 8 : 7;
  // A target in absolute form may have any scheme, so that its authority begins at another place.
  if (!url.startsWith(secure ? "https://" : "http://")) return new Refusal(400, "The target has a scheme of its own");
  const headers: HeaderLines = [];
  let authority: string | undefined;
  let bodyAnnounced = false;
  let via = "";
  let upgrade = "";
  let refusal: Refusal | undefined;
  // A callback is faster than an iterator.
  request.headers.forEach((value, name) => {
    if (name === "host") authority = value;
    else if (name === "transfer-encoding") {
      bodyAnnounced = true;
      // The runtime decodes only chunked; a body in another coding would be sent to the upstream without its name.
      if (value.toLowerCase() !== "chunked") {
        refusal = new Refusal(501, "The body has a transfer coding besides chunked");
      }
    } else if (name === "content-length") {
      if (value !== "0") bodyAnnounced = true;
      // The runtime joins equal values with commas (RFC 9110, section 8.6).
      if (value.includes(",")) refusal = new Refusal(400, "Content-Length is repeated");
    } else if (name === "via") via = value;
    else if (name === "upgrade") upgrade = value;
    else if (name === "expect" && !isContinue(value)) {
      refusal ??= new Refusal(417, "Expect asks for something besides 100-continue");
    }
    headers.push(name, value);
  });
  if (refusal !== undefined) return refusal;
  if (authority !== undefined && hostOf(authority) === undefined) return new Refusal(400, "Host is no authority");
  // HTTP/2 has no Host; nor have requests of HTTP/1.0, which go to the default site.
  const hostless = authority === undefined;
  // A valid Host cannot have changed where the path begins. If the URL still names another authority, the target was in
  // absolute form, whose authority is used (RFC 9112, section 3.2.2).
  if (
    authority === undefined || !url.startsWith(authority, authorityStart) ||
    !endsAuthority(url, authorityStart + authority.length)
  ) {
    const end = authorityEnd(url, authorityStart);
    // A copy: a cached slice would keep the whole URL in memory.
    authority = url.slice(authorityStart, end).split("").join("");
  }
  const host = hostOf(authority);
  if (host === undefined) return new Refusal(400, "The target's authority is none");
  // The runtime does not give the body of a GET or HEAD: a request that is forwarded without it has another meaning.
  if (method === "GET" || method === "HEAD") {
    // HTTP/1.1 announces a body, HTTP/2 does not have to.
    if (
      (bodyAnnounced && entry.readsAllBodies !== true) || (hostless && entry.ownPort && hasUnannouncedBody(request))
    ) {
      return new Refusal(501, `A ${method} with a body cannot be carried`);
    }
  }
  if (!isToken(method)) return new Refusal(400, "The method is no token");
  const target = url.slice(authorityStart + authority.length);
  const plain = isPlainTarget(target) ? target : encodedTarget(target);
  if (plain === undefined) return new Refusal(400, "The target holds characters that it may not");
  const query = plain.indexOf("?");
  const path = query < 0 ? plain : plain.slice(0, query);
  // Not allowed in a path, but some servers read it as `/`, and find a `..` where BWS finds a name.
  if (path.includes("\\")) return new Refusal(400, "The target holds characters that it may not");
  return {
    method,
    path: path === "" ? "/" : path,
    query: query < 0 ? "" : plain.slice(query),
    authority,
    host,
    scheme: entry.scheme ?? (secure ? "https" : "http"),
    headers,
    peer: peerOf(info?.remoteAddr),
    via,
    upgrade,
  };
}

/** The head of a request that was refused: parts that could not be read are empty. */
export function refusedHead(request: Request, info: ConnectionInfo | undefined, entry: ReadOptions): RequestHead {
  const url = lowerCaseScheme(request.url);
  const start = url.indexOf("://") < 0 ? 0 : url.indexOf("://") + 3;
  const named = request.headers.get("host") ?? "";
  // The runtime writes Host into the URL unchanged, whatever it contains.
  const end = named !== "" && url.startsWith(named, start) ? start + named.length : authorityEnd(url, start);
  const authority = url.slice(start, end);
  const target = url.slice(end);
  const query = target.indexOf("?");
  return {
    method: request.method,
    path: escapedTarget(query < 0 ? target : target.slice(0, query)) || "/",
    query: query < 0 ? "" : escapedTarget(target.slice(query)),
    authority: named === "" || hostOf(authority) !== undefined ? authority : named,
    host: hostOf(authority) ?? "",
    scheme: entry.scheme ?? (url.startsWith("https:") ? "https" : "http"),
    headers: [...request.headers].flat(),
    peer: peerOf(info?.remoteAddr),
    via: "",
    upgrade: "",
  };
}

// Schemes compare without case (RFC 3986, section 3.1).
function lowerCaseScheme(url: string): string {
  if (url.startsWith("http")) return url;
  const end = url.indexOf(":");
  return end < 0 ? url : url.slice(0, end).toLowerCase() + url.slice(end);
}

// A list that may be empty (RFC 9110, section 10.1.1).
function isContinue(expectation: string): boolean {
  return expectation === "100-continue" || listMembers(expectation).every((member) => member === "100-continue");
}

function endsAuthority(url: string, at: number): boolean {
  const code = url.charCodeAt(at);
  return at === url.length || code === SLASH || code === QUESTION_MARK;
}

function authorityEnd(url: string, start: number): number {
  let end = start;
  while (!endsAuthority(url, end)) end++;
  return end;
}

/** The peer at an address. */
export function peerOf(address: Deno.Addr | undefined): Peer {
  if (address === undefined || !("hostname" in address)) return NOBODY;
  return { address: plainAddress(address.hostname), port: address.port };
}

const NOBODY: Peer = { address: "", port: 0 };
const LETTER_S = 0x73;
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
