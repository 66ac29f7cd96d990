/**
 * The head of a request that is refused, as far as it can be read, for the response and the access log.
 *
 * @module
 */

import { hostOf } from "../../http/authority.ts";
import type { HeaderLines, Peer, RequestHead } from "../../http/message.ts";
import { escapedTarget } from "../../http/target.ts";
import type { Head } from "../../http1/head.ts";

/**
 * The parts of `head` that can be read; the others are empty, and the path is `/`.
 *
 * @param head As its parser left it, possibly in the middle.
 */
export function refusedRequest(head: Head, peer: Peer, scheme: "http" | "https"): RequestHead {
  const headers: HeaderLines = [];
  let hostField = "";
  for (let line = 0; line < head.lineCount; line++) {
    const { lower, codec } = head.name(line);
    headers.push(lower, head.value(line));
    if (codec === "host" && hostField === "") hostField = head.value(line);
  }
  const known = head.targetEnd > 0;
  const method = known ? head.method : "";
  const target = known ? utf8(head.target) : "";
  const start = authorityStart(target, method);
  const end = start < 0 ? 0 : authorityEnd(target, start);
  const named = start < 0 ? hostField : target.slice(start, end);
  // The target's authority counts, but an authority that is none is shown only where there is no Host.
  const authority = hostOf(named) === undefined && hostField !== "" ? hostField : named;
  const query = target.indexOf("?", end);
  return {
    method,
    path: escapedTarget(query < 0 ? target.slice(end) : target.slice(end, query)) || "/",
    query: query < 0 ? "" : escapedTarget(target.slice(query)),
    authority,
    host: hostOf(authority) ?? "",
    scheme,
    headers,
    peer,
    via: "",
    upgrade: "",
  };
}

/** Where the authority of a target begins; -1 where it has none. */
function authorityStart(target: string, method: string): number {
  if (method === "CONNECT") return 0;
  if (target.startsWith("/")) return -1;
  const scheme = target.indexOf("://");
  return scheme < 0 ? -1 : scheme + 3;
}

function authorityEnd(target: string, start: number): number {
  const rest = target.slice(start).search(/[/?#]/);
  return rest < 0 ? target.length : start + rest;
}

/** Octets as text; those that are not UTF-8 as they are. */
function utf8(octets: string): string {
  const bytes = Uint8Array.from(octets, (char) => char.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return octets;
  }
}
