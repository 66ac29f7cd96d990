/**
 * A client's request head, checked and taken apart (RFC 9112, sections 2 to 6). One reading or none: whatever two
 * implementations might read differently is refused, because request smuggling lives on that difference.
 *
 * @module
 */

import { Refusal } from "../../http/refusal.ts";
import { hostOf } from "../../http/authority.ts";
import { listMembers } from "../../http/header_lines.ts";
import type { HeaderLines, Peer, RequestHead } from "../../http/message.ts";
import { type BodyKind, declaredLength, persistent, requestBodyKind } from "../../http1/framing.ts";
import type { Head } from "../../http1/head.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { parseTarget, readTarget } from "../../http1/request_target.ts";
import type { ListenerLimits } from "./limits_schema.ts";

/** A request's head with its framing worked out. */
export interface ParsedRequest {
  /** The head for the responder. */
  readonly head: RequestHead;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** How the end of the body is told. */
  readonly bodyKind: BodyKind;
  /** Bytes of the body, where {@linkcode bodyKind} is `length`. */
  readonly contentLength: number;
  /** Whether the client wants to go on with this connection. */
  readonly persistent: boolean;
  /** Whether the client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean;
  /** Whether the client takes trailer fields (RFC 9110, section 10.1.4). */
  readonly takesTrailers: boolean;
}

/** What a request is read with, besides its head. */
export interface RequestContext {
  /** Limits for heads. */
  readonly limits: Pick<ListenerLimits, "max_header_size" | "max_header_lines">;
  /** Scheme of the listener. */
  readonly scheme: "http" | "https";
  /** Authority of requests of HTTP/1.0 that have no Host. */
  readonly ownAuthority: string;
}

/**
 * The request that begins with `head`, or why it is refused.
 *
 * @throws {MalformedMessage} When it is none, or can be read in two ways.
 */
export function parseRequest(head: Head, peer: Peer, context: RequestContext): ParsedRequest | Refusal {
  const { limits, scheme } = context;
  const { method, minorVersion } = head;
  if (head.targetEnd - head.methodLength - 1 > limits.max_header_size / 2) {
    return new Refusal(414, "The target is too long");
  }
  if (method === "CONNECT") return new Refusal(405, "CONNECT asks for a tunnel, and this is no forward proxy");
  const choice = head.high ? parseTarget(encodedOctets(head.target), method) : readTarget(head, method);
  const { path, query, authority: named } = choice;
  if (head.lineCount > limits.max_header_lines) {
    return new Refusal(431, `The head has more than ${limits.max_header_lines} header lines`);
  }

  const headers: HeaderLines = [];
  let hostField: string | undefined;
  let connection: string | undefined;
  let expectation: string | undefined;
  let te: string | undefined;
  let via = "";
  let upgrade = "";
  for (let line = 0; line < head.lineCount; line++) {
    const { lower, codec } = head.name(line);
    const value = head.value(line);
    if (codec !== undefined) {
      if (codec === "host") {
        if (hostField !== undefined) return new Refusal(400, "Host is repeated");
        hostField = value;
      } else if (codec === "connection") {
        connection = joined(connection, value);
        if (connection !== value && joinLine(headers, lower, value)) continue;
      } else if (codec === "expect") expectation = joined(expectation, value);
    } else if (lower.length <= 7) {
      if (lower === "te") te = joined(te, value);
      else if (lower === "via") via = via === "" ? value : `${via}, ${value}`;
      else if (lower === "upgrade") {
        if (upgrade !== "" && joinLine(headers, lower, value)) {
          upgrade += `, ${value}`;
          continue;
        }
        upgrade = value;
      } else if (lower === "accept" && joinLine(headers, lower, value)) continue;
    } else if (lower.startsWith("sec-websocket-") && joinLine(headers, lower, value)) continue;
    headers.push(lower, value);
  }
  const declared = declaredLength(head, "request");
  const hostless = hostField === undefined;
  if (hostless && minorVersion === 1) return new Refusal(400, "There is no Host");
  const fieldHost = hostField === undefined ? "" : hostOf(hostField);
  if (fieldHost === undefined) return new Refusal(400, "Host is no authority");
  const host = named === undefined ? fieldHost : hostOf(named);
  if (host === undefined) return new Refusal(400, "The target's authority is none");
  // HTTP/1.0 knows no expectations (RFC 9110, section 10.1.1).
  const expected = minorVersion === 0 || expectation === undefined ? NOTHING : listMembers(expectation);
  if (expected.some((member) => member !== "100-continue")) {
    return new Refusal(417, "Expect asks for something besides 100-continue");
  }
  const authority = named ?? hostField ?? context.ownAuthority;
  return {
    head: { method, path, query, authority, host, scheme, headers, peer, via, upgrade, choice },
    minorVersion,
    bodyKind: requestBodyKind(declared),
    contentLength: declared,
    persistent: persistent(minorVersion, connection),
    expectsContinue: expected.length > 0,
    takesTrailers: te !== undefined && minorVersion === 1 && listMembers(te).includes("trailers"),
  };
}

/** The request that begins with `head`, or why it is refused. */
export function readRequest(head: Head, peer: Peer, context: RequestContext): ParsedRequest | Refusal {
  try {
    return parseRequest(head, peer, context);
  } catch (error) {
    if (error instanceof MalformedMessage) return refusalOf(error);
    throw error;
  }
}

/** How a message that is not HTTP/1.1 is refused. */
export function refusalOf({ kind, message }: MalformedMessage): Refusal {
  return new Refusal(STATUSES[kind], `The request is not HTTP/1.1: ${message}`);
}

const STATUSES = { syntax: 400, version: 505, coding: 501, length: 413 } as const;
const NOTHING: readonly string[] = [];

function joined(values: string | undefined, value: string): string {
  return values === undefined ? value : `${values}, ${value}`;
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

/** A target with each octet above 0x7F percent-encoded. They must be UTF-8, as nginx and Caddy take it. */
export function encodedOctets(target: string): string {
  if (!NON_ASCII.test(target)) return target;
  try {
    decoder.decode(Uint8Array.from(target, (char) => char.charCodeAt(0)));
  } catch {
    throw new MalformedMessage("its target holds octets that are not UTF-8");
  }
  return target.replace(NON_ASCII_ALL, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const NON_ASCII = /[\x80-\xff]/;
const NON_ASCII_ALL = /[\x80-\xff]/g;
