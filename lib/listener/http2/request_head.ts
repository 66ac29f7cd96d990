/**
 * The head of a request of HTTP/2 in the form that all listeners give (RFC 9113, section 8.3.1).
 *
 * @module
 */

import { hostOf } from "../../http/authority.ts";
import { headerValue, listMembers } from "../../http/header_lines.ts";
import type { Peer, RequestHead } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import { escapedTarget } from "../../http/target.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { parseTarget } from "../../http1/request_target.ts";
import type { FieldBlock } from "../../http2/field_block.ts";
import { encodedOctets, type RequestContext } from "../own/parsed_request.ts";

/** A request's head, and what its response depends on. */
export interface ReadRequest {
  readonly head: RequestHead;
  /** Whether the client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean;
  /** Whether the client takes trailer fields. */
  readonly takesTrailers: boolean;
  /** Whether it asks for a WebSocket (RFC 8441). */
  readonly webSocket: boolean;
}

/**
 * The request with the fields of `block`, or why it is refused.
 *
 * @param ended Whether it has no body.
 */
export function readRequest(
  block: FieldBlock,
  ended: boolean,
  peer: Peer,
  { limits, scheme }: RequestContext,
): ReadRequest | Refusal {
  if (block.tooLarge) return new Refusal(431, "The header fields are too large, or too many");
  if (block.fault !== "") return malformed(block.fault);
  const { protocol, lines, contentLength } = block;
  let { method = "" } = block;
  if (method === "CONNECT" && protocol === undefined) {
    return new Refusal(405, "CONNECT asks for a tunnel, and this is no forward proxy");
  }
  const webSocket = protocol !== undefined;
  if (webSocket && protocol !== "websocket") {
    return new Refusal(501, "CONNECT asks for a protocol besides websocket");
  }
  const target = block.path ?? "";
  if (target.length > limits.max_header_size / 2) return new Refusal(414, "The target is too long");
  const authority = block.authority ?? block.host ?? "";
  const host = hostOf(authority);
  if (host === undefined) return malformed(":authority or Host is no authority");
  // HTTP/1.1 announces a body; here it is there unless the head ends the stream.
  if (!ended && contentLength < 0 && !webSocket) lines.push("transfer-encoding", "chunked");
  if (webSocket) {
    if (headerValue(lines, "sec-websocket-key") !== undefined) return malformed("it has Sec-WebSocket-Key");
    method = "GET";
    lines.push("connection", "upgrade", "upgrade", "websocket", "sec-websocket-key", randomKey());
  }
  lines.unshift("host", authority);
  const expectation = headerValue(lines, "expect");
  const expected = expectation === undefined ? NOTHING : listMembers(expectation);
  if (expected.some((member) => member !== "100-continue")) {
    return new Refusal(417, "Expect asks for something besides 100-continue");
  }
  try {
    const { path, query } = parseTarget(encodedOctets(target), method);
    return {
      head: {
        ...{ method, path, query, authority, host, scheme, headers: lines, peer },
        ...{ via: headerValue(lines, "via") ?? "", upgrade: webSocket ? "websocket" : "", protocol: "HTTP/2.0" },
      },
      expectsContinue: expected.length > 0 && !ended,
      takesTrailers: headerValue(lines, "te") !== undefined,
      webSocket,
    };
  } catch (error) {
    if (error instanceof MalformedMessage) return malformed(error.message);
    throw error;
  }
}

/** The part of a refused request's head that is known. */
export function refusedHead(block: FieldBlock, peer: Peer, { scheme }: RequestContext): RequestHead {
  const { method = "", path: target = "", authority: named, host: hostField = "", lines } = block;
  const authority = named !== undefined && hostOf(named) !== undefined ? named : hostField;
  const query = target.indexOf("?");
  return {
    method,
    path: escapedTarget(query < 0 ? target : target.slice(0, query)) || "/",
    query: query < 0 ? "" : escapedTarget(target.slice(query)),
    authority,
    host: hostOf(authority) ?? "",
    scheme,
    headers: lines,
    peer,
    via: "",
    upgrade: "",
    protocol: "HTTP/2.0",
  };
}

function malformed(what: string): Refusal {
  return new Refusal(400, `The request is malformed: ${what}`);
}

/** The upstream's handshake is one of HTTP/1.1, which wants a key (RFC 6455, section 4.1). */
function randomKey(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64();
}

const NOTHING: readonly string[] = [];
