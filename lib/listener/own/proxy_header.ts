/**
 * The header of the PROXY protocol, versions 1 and 2, in which a proxy in front tells the client's address at the start of
 * a connection (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 *
 * @module
 */

import { addressGroups, addressText, isIpv4, isIpv6 } from "../../http/ip_address.ts";
import type { Peer } from "../../http/message.ts";

/** What the front of a connection is. */
export type ProxyHeader =
  /** It breaks off: more bytes are needed. */
  | "incomplete"
  /** It is no such header. */
  | "malformed"
  /** A header of `length` bytes; undefined for the peer where it tells none, as for a check of the proxy itself. */
  | { readonly length: number; readonly peer: Peer | undefined };

/** Reads the header at the front of `bytes[start … end)`. */
export function readProxyHeader(bytes: Uint8Array, start: number, end: number): ProxyHeader {
  const known = Math.min(end - start, SIGNATURE.length);
  let version2 = true;
  for (let i = 0; i < known; i++) {
    if (bytes[start + i] === SIGNATURE[i]) continue;
    version2 = false;
    break;
  }
  return version2 ? readVersion2(bytes, start, end) : readVersion1(bytes, start, end);
}

function readVersion1(bytes: Uint8Array, start: number, end: number): ProxyHeader {
  const last = Math.min(end, start + MAX_LINE_BYTES);
  let text = "";
  for (let i = start; i < last; i++) {
    const code = bytes[i];
    if (code === 0x0a) return text.endsWith("\r") ? lineOf(text.slice(0, -1)) : "malformed";
    if (code > 0x7e) return "malformed";
    text += String.fromCharCode(code);
    if (text.length <= PREFIX.length && text !== PREFIX.slice(0, text.length)) return "malformed";
  }
  return end - start < MAX_LINE_BYTES ? "incomplete" : "malformed";
}

function lineOf(line: string): ProxyHeader {
  const length = line.length + 2;
  const [, family, address = "", , port = ""] = line.split(" ");
  if (family === "UNKNOWN") return { length, peer: undefined };
  const valid = family === "TCP4" ? isIpv4(address) : family === "TCP6" && isIpv6(address);
  if (!valid || !/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65535) return "malformed";
  return { length, peer: { address: addressText(addressGroups(address) as Uint16Array), port: Number(port) } };
}

function readVersion2(bytes: Uint8Array, start: number, end: number): ProxyHeader {
  const received = end - start;
  if (received < FIXED_BYTES) return "incomplete";
  const command = bytes[start + 12];
  const addressBytes = bytes[start + 14] << 8 | bytes[start + 15];
  if (command >> 4 !== 2 || (command & 0x0f) > 1 || addressBytes > MAX_ADDRESS_BYTES) return "malformed";
  const length = FIXED_BYTES + addressBytes;
  if (received < length) return "incomplete";
  // LOCAL: a connection of the proxy itself.
  if ((command & 0x0f) === 0) return { length, peer: undefined };
  const at = start + FIXED_BYTES;
  switch (bytes[start + 13]) {
    case TCP_OVER_IPV4:
      if (addressBytes < 12) return "malformed";
      return { length, peer: { address: bytes.subarray(at, at + 4).join("."), port: portAt(bytes, at + 8) } };
    case TCP_OVER_IPV6:
      if (addressBytes < 36) return "malformed";
      return { length, peer: { address: ipv6At(bytes, at), port: portAt(bytes, at + 32) } };
    default:
      return { length, peer: undefined };
  }
}

function portAt(bytes: Uint8Array, at: number): number {
  return bytes[at] << 8 | bytes[at + 1];
}

function ipv6At(bytes: Uint8Array, at: number): string {
  const groups = new Uint16Array(8);
  for (let i = 0; i < 8; i++) groups[i] = portAt(bytes, at + 2 * i);
  return addressText(groups);
}

const PREFIX = "PROXY ";
/** Longest line of version 1. */
const MAX_LINE_BYTES = 107;
const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** Signature, version and command, family, length. */
const FIXED_BYTES = 16;
/** Longest address block with its extensions. */
const MAX_ADDRESS_BYTES = 4096;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
