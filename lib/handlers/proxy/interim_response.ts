/**
 * What a client gets besides the response itself: interim responses and trailer fields.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { headerValue, listMembers } from "../../http/header_lines.ts";
import { connectionNamed, HOP_BY_HOP } from "../../http/hop_by_hop.ts";
import type { HeaderLines } from "../../http/message.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/**
 * Sends an interim response of the upstream to the client, without hop-by-hop fields. 100 is dropped: the listener sends
 * it itself when the body is read.
 */
export function passInterim({ client }: Exchange, head: ResponseHead): void {
  if (client.inform === undefined || head.status === 100) return;
  const named = head.connection === undefined ? undefined : connectionNamed(head.connection);
  const lines: HeaderLines = [];
  for (let i = 0; i < head.lowerNames.length; i++) {
    const name = head.lowerNames[i];
    if (HOP_BY_HOP.has(name) || name === "content-length" || named?.includes(name)) continue;
    lines.push(head.headers[2 * i], head.headers[2 * i + 1]);
  }
  client.inform(head.status, lines, head.reason);
}

/** Whether the client takes trailer fields (RFC 9110, section 10.1.4), and its listener can send them. */
export function wantsTrailers({ client, head }: Exchange): boolean {
  if (client.inform === undefined) return false;
  return takesTrailers(headerValue(head.headers, "te"));
}

/** Whether a value of TE has `trailers`. */
export function takesTrailers(te: string | undefined): boolean {
  return te !== undefined && listMembers(te).includes("trailers");
}
