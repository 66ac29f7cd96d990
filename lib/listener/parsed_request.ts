/**
 * A client's request head, checked and taken apart (RFC 9112, sections 2 to 6). One reading or none: whatever two
 * implementations might read differently is refused, because that difference is what request smuggling lives on.
 *
 * @module
 */

import { Refusal } from "../http/refusal.ts";
import { hostOf } from "../http/authority.ts";
import { isToken, listMembers } from "../http/header_lines.ts";
import type { HeaderLines, Peer, RequestHead } from "../http/message.ts";
import { latin1 } from "../http1/response_head.ts";
import type { ListenerLimits } from "./listener_limits.ts";
import { FieldKind, fieldOf } from "./request_field.ts";
import { parseTarget } from "./request_target.ts";

/** A request's head with its framing worked out. */
export interface ParsedRequest {
  /** What the gateway sees. */
  readonly head: RequestHead;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Content-Length, or -1 where there is none. */
  readonly contentLength: number;
  /** Whether the body is chunked. */
  readonly chunked: boolean;
  /** Whether the client wants to go on with this connection. */
  readonly persistent: boolean;
  /** Whether the client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean;
}

/** Where a head lies, and who sent it. */
export interface HeadSpan {
  /** Bytes that hold it. */
  readonly bytes: Uint8Array;
  /** Where its first line begins. */
  readonly start: number;
  /** Behind its empty line. `findHeadEnd` has been over the bytes until there. */
  readonly end: number;
  /** Whether a byte above 0x7F is among them. */
  readonly high: boolean;
}

/** The request in `span`, or why it is refused. */
export function parseRequest(span: HeadSpan, peer: Peer, limits: ListenerLimits): ParsedRequest | Refusal {
  const { bytes, start, end } = span;
  const text = span.high ? latin1(bytes, start, end) : ascii.decode(bytes.subarray(start, end));
  let lineEnd = text.indexOf("\r\n");
  const methodEnd = text.indexOf(" ");
  // `GET /path HTTP/1.1`: the version has a fixed length, so that nothing needs searching from behind.
  const targetEnd = lineEnd - 9;
  if (methodEnd <= 0 || targetEnd <= methodEnd + 1 || text.charCodeAt(targetEnd) !== SPACE) {
    return new Refusal(400, `The first line is no request: "${shown(text.slice(0, lineEnd))}"`);
  }
  const version = text.slice(targetEnd + 1, lineEnd);
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    return new Refusal(/^HTTP\/\d\.\d$/.test(version) ? 505 : 400, `The version is "${shown(version)}"`);
  }
  const minorVersion = text.charCodeAt(lineEnd - 1) - 0x30;
  const method = text.slice(0, methodEnd);
  if (!KNOWN_METHODS.has(method) && !isToken(method)) return new Refusal(400, "The method is no token");
  if (targetEnd - methodEnd - 1 > limits.maxTargetBytes) return new Refusal(414, "The target is too long");
  if (method === "CONNECT") return new Refusal(405, "CONNECT asks for a tunnel, and this is no forward proxy");
  const target = parseTarget(text.slice(methodEnd + 1, targetEnd), method);
  if (target instanceof Refusal) return target;

  const headers: HeaderLines = [];
  let named: string | undefined;
  let contentLength = -1;
  let coding: string | undefined;
  let connection: string | undefined;
  let expectation: string | undefined;
  let lineStart = lineEnd + 2;
  const last = text.length - 2;
  while (lineStart < last) {
    lineEnd = text.indexOf("\r\n", lineStart);
    const colon = text.indexOf(":", lineStart);
    if (colon < 0 || colon > lineEnd) return new Refusal(400, "A header line has no colon");
    // A blank before the colon and a folded line fail here too: neither leaves a token.
    const name = text.slice(lineStart, colon);
    const field = fieldOf(name);
    if (field === undefined) return new Refusal(400, `"${shown(name)}" is not a header name`);
    let from = colon + 1;
    let to = lineEnd;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
    const value = text.slice(from, to);
    lineStart = lineEnd + 2;
    switch (field.kind) {
      case FieldKind.Host:
        if (named !== undefined) return new Refusal(400, "Host is repeated");
        named = value;
        break;
      case FieldKind.ContentLength: {
        if (contentLength >= 0) return new Refusal(400, "Content-Length is repeated");
        const length = parseLength(value);
        if (length instanceof Refusal) return length;
        contentLength = length;
        break;
      }
      case FieldKind.TransferEncoding:
        if (coding !== undefined) return new Refusal(400, "Transfer-Encoding is repeated");
        coding = value;
        break;
      case FieldKind.Connection:
        connection = connection === undefined ? value : `${connection}, ${value}`;
        break;
      case FieldKind.Expect:
        expectation = expectation === undefined ? value : `${expectation}, ${value}`;
        break;
    }
    if (field.joined && joinLine(headers, field.lower, value)) continue;
    headers.push(field.lower, value);
    if (headers.length > 2 * limits.maxHeaderLines) {
      return new Refusal(431, `The head has more than ${limits.maxHeaderLines} header lines`);
    }
  }
  const framing = framingFault(method, minorVersion, contentLength, coding);
  if (framing !== undefined) return framing;
  if (named === undefined) return new Refusal(400, "There is no Host");
  const host = hostOf(named);
  if (host === undefined) return new Refusal(400, "Host is no authority");
  const authority = target.authority ?? named;
  const siteHost = target.authority === undefined ? host : hostOf(authority);
  if (siteHost === undefined) return new Refusal(400, "The target's authority is none");
  // HTTP/1.0 knows no expectations (RFC 9110, section 10.1.1).
  const expects = expectation !== undefined && minorVersion === 1;
  if (expects && expectation?.toLowerCase() !== "100-continue") {
    return new Refusal(417, "Expect asks for something besides 100-continue");
  }
  return {
    head: { method, path: target.path, query: target.query, authority, host: siteHost, scheme: "http", headers, peer },
    minorVersion,
    contentLength,
    chunked: coding !== undefined,
    persistent: persistent(connection, minorVersion),
    expectsContinue: expects,
  };
}

function framingFault(method: string, minorVersion: number, length: number, coding?: string): Refusal | undefined {
  if (coding !== undefined) {
    if (length >= 0) return new Refusal(400, "There are both Content-Length and Transfer-Encoding");
    if (minorVersion === 0) return new Refusal(400, "HTTP/1.0 has no Transfer-Encoding");
    if (coding.toLowerCase() !== "chunked") {
      return new Refusal(501, "The body has a transfer coding besides chunked");
    }
  }
  // To forward such a request without its body would change its meaning, and the proxy below carries none.
  if ((coding !== undefined || length > 0) && (method === "GET" || method === "HEAD")) {
    return new Refusal(501, `A ${method} with a body cannot be carried`);
  }
  return undefined;
}

function persistent(connection: string | undefined, minorVersion: number): boolean {
  if (connection === undefined) return minorVersion === 1;
  if (connection === "keep-alive") return true;
  const options = listMembers(connection);
  return !options.includes("close") && (minorVersion === 1 || options.includes("keep-alive"));
}

function parseLength(value: string): number | Refusal {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return new Refusal(400, `Content-Length is "${shown(value)}"`);
  }
  if (value.length === 0) return new Refusal(400, "Content-Length is empty");
  // More digits may be more than can be counted exactly.
  return value.length > 15 ? new Refusal(413, `The body has ${shown(value)} bytes`) : Number(value);
}

// Fields that are read as one value further down: their lines become one, as RFC 9110, section 5.3 allows.
function joinLine(headers: HeaderLines, lower: string, value: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== lower) continue;
    headers[i + 1] += `, ${value}`;
    return true;
  }
  return false;
}

const KNOWN_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);
const SPACE = 0x20;
const ascii = new TextDecoder();

function isBlank(code: number): boolean {
  return code === SPACE || code === 0x09;
}

function shown(text: string): string {
  return text.length > 80 ? text.slice(0, 80) + "…" : text;
}
