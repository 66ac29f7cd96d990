/**
 * The Forwarded header field (RFC 7239), in which each proxy describes the hop on which it received the request.
 *
 * @module
 */

import { isToken } from "./header_lines.ts";
import { isIpAddress, plainAddress } from "./ip_address.ts";

/**
 * One proxy's description of the hop on which it received the request; parameters that BWS does not use are left out.
 */
export interface ForwardedElement {
  /** Sender of the request: an address with or without a port, `unknown`, or an obfuscated name. */
  readonly for?: string;
  /** Host that was requested. */
  readonly host?: string;
  /** Scheme of that hop. */
  readonly proto?: string;
}

/**
 * The elements of a Forwarded value, in the order of the hops. Undefined if the value is malformed, in which case no
 * part of it is reliable.
 *
 * @param value The field's lines, joined by commas.
 */
export function parseForwarded(value: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  let element: Record<string, string> = {};
  let at = 0;
  for (;;) {
    PAIR.lastIndex = at;
    const pair = PAIR.exec(value);
    // Lists may hold empty members (RFC 9110, section 5.6.1).
    if (pair === null) {
      SEPARATOR.lastIndex = at;
    } else {
      const name = pair[1].toLowerCase();
      if (name in element || !isToken(name)) return undefined;
      element[name] = pair[2] === undefined ? pair[3] : pair[2].replace(/\\(.)/g, "$1");
      SEPARATOR.lastIndex = PAIR.lastIndex;
    }
    const separator = SEPARATOR.exec(value);
    if (separator === null) return undefined;
    if (separator[1] !== ";") {
      if (Object.keys(element).length > 0) elements.push(element);
      element = {};
    }
    if (separator[1] === "") return elements;
    at = SEPARATOR.lastIndex;
  }
}

/** The IP address of a node, without port and brackets; undefined if the node is not an IP address. */
export function nodeAddress(node: string): string | undefined {
  let text = node;
  if (text.startsWith("[")) text = text.slice(0, text.indexOf("]") + 1);
  else if (text.indexOf(":") >= 0 && text.indexOf(":") === text.lastIndexOf(":")) {
    text = text.slice(0, text.indexOf(":"));
  }
  const plain = plainAddress(text);
  return isIpAddress(plain) ? plain : undefined;
}

/** One element of Forwarded (RFC 7239, sections 4 and 6); an IPv6 address is in brackets and quoted. */
export function forwardedElement(address: string, authority: string | undefined, scheme: string | undefined): string {
  return forwardedNode(address) + (authority === undefined ? "" : `;host=${hostValue(authority)}`) +
    (scheme === undefined ? "" : `;proto=${isToken(scheme) ? scheme : "unknown"}`);
}

/** The part of an element that names the node at `address`. */
export function forwardedNode(address: string): string {
  const plain = plainAddress(address);
  return `for=${plain === "" ? "unknown" : plain.includes(":") ? `"[${plain}]"` : plain}`;
}

// `:` is not a token character, so a host with a port needs quotes.
function hostValue(authority: string): string {
  return /^[A-Za-z0-9._-]+$/.test(authority) ? authority : `"${authority.replace(/["\\]/g, "\\$&")}"`;
}

const PAIR = /[ \t]*([^\s=;,"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s=;,"]+))/y;
const SEPARATOR = /[ \t]*([;,]|$)/y;
