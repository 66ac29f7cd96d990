/**
 * The fields of a request to an upstream that speaks HTTP/2 (RFC 9113, section 8.3.1), from its head of HTTP/1.1, in which
 * requests are written whatever the upstream speaks.
 *
 * @module
 */

import type { HpackEncoder } from "../../http2/hpack_encoder.ts";

/**
 * Adds the fields of a head.
 *
 * @param head The head as text, with its empty line; written by BWS, so that its lines are well formed.
 * @param tunnel Whether the head asks for a WebSocket, which is an extended CONNECT (RFC 8441, section 5).
 */
export function addRequestFields(
  head: string,
  scheme: "http" | "https",
  encoder: HpackEncoder,
  tunnel = false,
): void {
  const firstEnd = head.indexOf("\r\n");
  const methodEnd = head.indexOf(" ");
  encoder.field(":method", tunnel ? "CONNECT" : head.slice(0, methodEnd));
  if (tunnel) encoder.field(":protocol", "websocket");
  encoder.field(":scheme", scheme);
  encoder.field(":authority", hostOf(head, firstEnd));
  encoder.field(":path", head.slice(methodEnd + 1, firstEnd - VERSION_LENGTH));
  for (let start = firstEnd + 2;;) {
    const end = head.indexOf("\r\n", start);
    if (end <= start) return;
    const colon = head.indexOf(":", start);
    const name = head.slice(start, colon).toLowerCase();
    // The key and its hash are left out: the stream is told from others without them.
    if (!tunnel || name !== "sec-websocket-key") addField(name, valueOf(head, colon, end), encoder);
    start = end + 2;
  }
}

function addField(name: string, value: string, encoder: HpackEncoder): void {
  switch (name) {
    // In :authority; and those of a connection of HTTP/1.1 (section 8.2.2).
    case "host":
    case "connection":
    case "keep-alive":
    case "proxy-connection":
    case "transfer-encoding":
    case "upgrade":
      return;
    case "te":
      if (value === "trailers") encoder.field(name, value);
      return;
    // Requests of many clients share the connection: none may find out the cookies of another by the size of its own (RFC
    // 7541, section 7.1).
    case "cookie":
      return encoder.field(name, value, true);
    default:
      return encoder.field(name, value);
  }
}

function hostOf(head: string, firstEnd: number): string {
  // Heads of exchanges have it in front; those of probes anywhere.
  for (let start = firstEnd + 2;;) {
    const end = head.indexOf("\r\n", start);
    if (end <= start) return "";
    const colon = head.indexOf(":", start);
    if (colon - start === 4 && head.slice(start, colon).toLowerCase() === "host") return valueOf(head, colon, end);
    start = end + 2;
  }
}

function valueOf(head: string, colon: number, end: number): string {
  return head.slice(colon + 1, end).trim();
}

const VERSION_LENGTH = " HTTP/1.1".length;
