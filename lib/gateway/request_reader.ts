/**
 * Reading a `Request`: the one place where its URL is looked at, and therefore where its authority is judged first.
 *
 * @module
 */

import { plainAddress } from "../http/ip_address.ts";
import { hostOf } from "../http/authority.ts";
import { isToken } from "../http/header_lines.ts";
import type { HeaderLines, Peer, RequestHead } from "../http/message.ts";
import type { SiteTable } from "../routing/site_table.ts";
import type { Site } from "./site.ts";

/** What the runtime tells of a connection; `Deno.ServeHandlerInfo` is one. */
export interface ConnectionInfo {
  /** The peer's address. */
  readonly remoteAddr?: Deno.Addr | undefined;
}

/** Where a request came in. */
export interface Entry {
  /** Sites to choose from. */
  readonly sites: SiteTable<Site>;
  /**
   * What the runtime puts in the URL for a request without Host, which HTTP/1.1 forbids; undefined when requests may be
   * made by hand, without Host.
   */
  readonly hostlessAuthority?: string | undefined;
  /**
   * Scheme of the listener: a target in absolute form may claim another. Undefined where the URL alone can tell.
   */
  readonly scheme?: "http" | "https" | undefined;
}

/** A request that is refused before it belongs to a site. */
export class Refusal {
  /** Status for the client. */
  readonly status: number;
  /** Why, for the log. */
  readonly cause: string;

  /** @param cause Why, for the log. */
  constructor(status: number, cause: string) {
    this.status = status;
    this.cause = cause;
  }
}

/** The head of `request`, or why it is refused. */
export function readRequest(request: Request, info: ConnectionInfo | undefined, entry: Entry): RequestHead | Refusal {
  const { url, method } = request;
  if (method === "CONNECT") return new Refusal(405, "CONNECT asks for a tunnel, and this is no forward proxy");
  const secure = url.charCodeAt(4) === LETTER_S;
  const authorityStart = secure ? 8 : 7;
  // A target in absolute form may have any scheme, and with it an authority that begins elsewhere.
  if (!url.startsWith(secure ? "https://" : "http://")) return new Refusal(400, "The target has a scheme of its own");
  const headers: HeaderLines = [];
  let authority: string | undefined;
  let bodyAnnounced = false;
  let expectation = "100-continue";
  let refusal: Refusal | undefined;
  // Iterating costs more than being called.
  request.headers.forEach((value, name) => {
    if (name === "host") authority = value;
    else if (name === "transfer-encoding") {
      bodyAnnounced = true;
      // The runtime undoes chunked alone; what another coding did to the body would go upstream unnamed.
      if (value.toLowerCase() !== "chunked") {
        refusal = new Refusal(501, "The body has a transfer coding besides chunked");
      }
    } else if (name === "content-length") {
      if (value !== "0") bodyAnnounced = true;
      // Several that agree come joined by commas (RFC 9110, section 8.6).
      if (value.includes(",")) refusal = new Refusal(400, "Content-Length is repeated");
    } else if (name === "expect") expectation = value.toLowerCase();
    headers.push(name, value);
  });
  if (expectation !== "100-continue") return new Refusal(417, "Expect asks for something besides 100-continue");
  if (refusal !== undefined) return refusal;
  if (authority !== undefined && hostOf(authority) === undefined) return new Refusal(400, "Host is no authority");
  // A valid Host cannot have moved the path. Where the URL still names another authority, the target was in absolute
  // form, whose authority counts (RFC 9112, section 3.2.2).
  if (
    authority === undefined || !url.startsWith(authority, authorityStart) ||
    !endsAuthority(url, authorityStart + authority.length)
  ) {
    const end = authorityEnd(url, authorityStart);
    const named = url.slice(authorityStart, end);
    if (authority === undefined && named === entry.hostlessAuthority) return new Refusal(400, "There is no Host");
    // A copy: whoever remembers a slice keeps the whole URL.
    authority = named.split("").join("");
  }
  const host = hostOf(authority);
  if (host === undefined) return new Refusal(400, "The target's authority is none");
  // The runtime gives no way to a body of GET and HEAD: to forward such a request without it would change its meaning.
  if (bodyAnnounced && (method === "GET" || method === "HEAD")) {
    return new Refusal(501, `A ${method} with a body cannot be carried`);
  }
  if (!isToken(method)) return new Refusal(400, "The method is no token");
  const pathStart = authorityStart + authority.length;
  const query = url.indexOf("?", pathStart);
  const path = query < 0 ? url.slice(pathStart) : url.slice(pathStart, query);
  if (!isPlain(url, pathStart) || path.includes(BACKSLASH)) {
    return new Refusal(400, "The target holds characters that it may not");
  }
  return {
    method,
    path: path === "" ? "/" : path,
    query: query < 0 ? "" : url.slice(query),
    authority,
    host,
    scheme: entry.scheme ?? (secure ? "https" : "http"),
    headers,
    peer: peerOf(info?.remoteAddr),
  };
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

// What has no place in a target (RFC 9112, section 3.2): controls, spaces, fragments, and characters that are not ASCII,
// which must come percent-encoded.
function isPlain(url: string, start: number): boolean {
  for (let i = start; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return false;
  }
  return true;
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
const HASH = 0x23;
// No character of a path, yet some servers read it as `/`: what would be `..` to them is a name to us.
const BACKSLASH = "\\";
