/**
 * A client's request head, checked and taken apart (RFC 9112, sections 2 to 6). One reading or none: whatever two
 * implementations might read differently is refused, because that difference is what request smuggling lives on.
 *
 * @module
 */

import { Refusal } from "../../http/refusal.ts";
import { hostOf } from "../../http/authority.ts";
import type { HeaderLines, Peer, RequestHead } from "../../http/message.ts";
import { type BodyKind, declaredLength, persistent, requestBodyKind } from "../../http1/framing.ts";
import type { Head } from "../../http1/head.ts";
import type { MalformedMessage } from "../../http1/malformed_message.ts";
import { parseTarget } from "../../http1/request_target.ts";
import type { ListenerLimits } from "./listener_limits.ts";

/** A request's head with its framing worked out. */
export interface ParsedRequest {
  /** What the gateway sees. */
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
}

/**
 * The request that begins with `head`, or why it is refused.
 *
 * @throws {MalformedMessage} When it is none, or can be read in two ways.
 */
export function parseRequest(head: Head, peer: Peer, limits: ListenerLimits): ParsedRequest | Refusal {
  head.decode();
  const { method, minorVersion } = head;
  if (head.targetEnd - head.methodLength - 1 > limits.maxTargetBytes) return new Refusal(414, "The target is too long");
  if (method === "CONNECT") return new Refusal(405, "CONNECT asks for a tunnel, and this is no forward proxy");
  const target = parseTarget(head.target, method);

  const headers: HeaderLines = [];
  let named: string | undefined;
  let connection: string | undefined;
  let expectation: string | undefined;
  for (let line = 0; line < head.lineCount; line++) {
    const { lower, codec } = head.name(line);
    const value = head.value(line);
    if (codec === "host") {
      if (named !== undefined) return new Refusal(400, "Host is repeated");
      named = value;
    } else if (codec === "connection") connection = joined(connection, value);
    else if (codec === "expect") expectation = joined(expectation, value);
    if (isReadAsOne(lower) && joinLine(headers, lower, value)) continue;
    headers.push(lower, value);
    if (headers.length > 2 * limits.maxHeaderLines) {
      return new Refusal(431, `The head has more than ${limits.maxHeaderLines} header lines`);
    }
  }
  const declared = declaredLength(head, "request");
  const bodyKind = requestBodyKind(declared);
  if (bodyKind !== "none" && (method === "GET" || method === "HEAD")) {
    // To forward such a request without its body would change its meaning, and the proxy below carries none.
    return new Refusal(501, `A ${method} with a body cannot be carried`);
  }
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
    bodyKind,
    contentLength: declared,
    persistent: persistent(minorVersion, connection),
    expectsContinue: expects,
  };
}

/** How a message that is not HTTP/1.1 is refused. */
export function refusalOf({ kind, message }: MalformedMessage): Refusal {
  return new Refusal(STATUSES[kind], `The request is not HTTP/1.1: ${message}`);
}

const STATUSES = { syntax: 400, version: 505, coding: 501, length: 413 } as const;

function joined(values: string | undefined, value: string): string {
  return values === undefined ? value : `${values}, ${value}`;
}

// Fields that are read as one value further down.
function isReadAsOne(lower: string): boolean {
  return READ_AS_ONE.has(lower) || lower.startsWith("sec-websocket-");
}

// Their lines become one, as RFC 9110, section 5.3 allows.
function joinLine(headers: HeaderLines, lower: string, value: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== lower) continue;
    headers[i + 1] += `, ${value}`;
    return true;
  }
  return false;
}

const READ_AS_ONE: ReadonlySet<string> = new Set(["connection", "upgrade", "accept"]);
