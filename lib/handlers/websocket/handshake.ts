/**
 * The client's handshake: whether a request is a request for a WebSocket, and whether it is valid (RFC 6455, section
 * 4.2.1).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { headerValue, headerValues, listMembers } from "../../http/header_lines.ts";
import type { RequestHead } from "../../http/message.ts";

/** A valid request for a WebSocket. */
export interface UpgradeRequest {
  /** Its Sec-WebSocket-Key. */
  readonly key: string;
  /** Subprotocols that the client offers, in its order. */
  readonly protocols: readonly string[];
  /** Whether the client offers extensions. */
  readonly extensions: boolean;
}

/** An invalid request for a WebSocket. */
export interface UpgradeFault {
  /** 400, or 426 for a version that is not supported. */
  readonly status: 400 | 426;
  /** What is wrong with the request, for the log. */
  readonly fault: string;
  /** Header lines of the error response. */
  readonly lines: readonly string[];
}

/** The upgrade that a request asks for, its fault if it is invalid, or undefined for a plain request. */
export function readUpgrade(head: RequestHead): UpgradeRequest | UpgradeFault | undefined {
  const upgrade = headerValue(head.headers, "upgrade");
  if (upgrade === undefined || !listMembers(upgrade).includes("websocket")) return undefined;
  const key = headerValue(head.headers, "sec-websocket-key");
  if (!listMembers(headerValue(head.headers, "connection") ?? "").includes("upgrade")) {
    // Without that option the field has no meaning (RFC 9110, section 7.8), unless the other fields show that the
    // option was forgotten.
    return key === undefined ? undefined : malformed('Connection does not hold "upgrade"');
  }
  if (head.method !== "GET") return malformed(`its method is ${head.method}, expected GET`);
  const version = headerValue(head.headers, "sec-websocket-version");
  if (version === undefined) return malformed("it has no Sec-WebSocket-Version");
  if (version !== VERSION) {
    return {
      status: 426,
      fault: `The WebSocket version is "${version}", expected ${VERSION}`,
      lines: ["sec-websocket-version", VERSION, "upgrade", "websocket", "connection", "upgrade"],
    };
  }
  if (key === undefined) return malformed("it has no Sec-WebSocket-Key");
  if (!KEY.test(key)) return malformed("its Sec-WebSocket-Key is not 16 bytes in base64");
  const protocols = protocolList(headerValues(head.headers, "sec-websocket-protocol").join(","));
  return { key, protocols, extensions: headerValue(head.headers, "sec-websocket-extensions") !== undefined };
}

/** Whether the request is invalid. */
export function isFault(upgrade: UpgradeRequest | UpgradeFault): upgrade is UpgradeFault {
  return "status" in upgrade;
}

/** The header lines of a handshake with an upstream. */
export function handshakeLines(key: string): string {
  return `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: ${VERSION}\r\nsec-websocket-key: ${key}\r\n`;
}

/** A fresh key for a handshake: 16 random bytes in base64. */
export function handshakeKey(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64();
}

/** The Sec-WebSocket-Accept for `key` (RFC 6455, section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}

/** The only supported version. */
export const VERSION = "13";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
// 16 bytes: the last character before the padding has two bits.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

function malformed(what: string): UpgradeFault {
  return { status: 400, fault: `The WebSocket handshake is malformed: ${what}`, lines: [] };
}

// Subprotocol names are case-sensitive, unlike other tokens.
function protocolList(value: string): string[] {
  return value.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
