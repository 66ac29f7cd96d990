/**
 * The handshake with an upstream (RFC 6455, section 4.1): the request goes out, and the answer either makes the connection
 * a WebSocket, or is a plain one that says why not.
 *
 * @module
 */

import { headerValue, listMembers } from "../../http/header_lines.ts";
import type { Wire } from "../../sockets/wire.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { UpstreamHead } from "../../http1/response_head.ts";
import { ResponseReader } from "./response_reader.ts";
import { acceptOf } from "./handshake.ts";

/** A request for a WebSocket as it goes upstream. */
export interface UpstreamHandshake {
  /** The head as text, one character a byte, with its empty line. */
  readonly head: string;
  /** The Sec-WebSocket-Key in it. */
  readonly key: string;
}

/** An upstream that accepted. */
export interface AcceptedHandshake {
  /** Head of its answer. */
  readonly head: UpstreamHead;
  /** The subprotocol that it chose, or empty. */
  readonly protocol: string;
  /** What it sent behind its answer. */
  readonly early: Uint8Array;
}

/** An upstream that refused. */
export interface RefusedHandshake {
  /** Head of its answer. */
  readonly head: UpstreamHead;
  /** The answer's body. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Shakes hands over a fresh connection, which stays with the caller.
 *
 * @throws {TransportFailure} `closed_unanswered`, `closed_in_head`, `closed_in_body`, or `malformed`, also for an answer
 * that accepts what was not asked for.
 */
export async function shakeHands(
  wire: Wire,
  handshake: UpstreamHandshake,
): Promise<AcceptedHandshake | RefusedHandshake> {
  await send(wire, handshake.head);
  const reader = new ResponseReader(wire);
  const head = await reader.head();
  if (head.status !== 101) return { head, body: await reader.body(head) };
  const protocol = await check(head, handshake);
  return { head, protocol, early: reader.rest };
}

async function send(wire: Wire, head: string): Promise<void> {
  let rest = Uint8Array.from(head, (char) => char.charCodeAt(0));
  try {
    while (rest.length > 0) rest = rest.subarray(await wire.write(rest));
  } catch (error) {
    throw new TransportFailure("closed_unanswered", "The upstream closed while it was sent to", error);
  }
}

async function check(head: UpstreamHead, { key }: UpstreamHandshake): Promise<string> {
  const { headers } = head;
  if (!listMembers(headerValue(headers, "upgrade") ?? "").includes("websocket")) {
    throw wrong('its Upgrade is not "websocket"');
  }
  if (!listMembers(head.connection ?? "").includes("upgrade")) throw wrong('its Connection does not hold "upgrade"');
  if (headerValue(headers, "sec-websocket-accept") !== await acceptOf(key)) {
    throw wrong("its Sec-WebSocket-Accept does not answer the key");
  }
  if ((headerValue(headers, "sec-websocket-extensions") ?? "") !== "") {
    throw wrong("it uses extensions, none was offered");
  }
  // Whether it is one of those offered is for the client to judge, who must fail the connection if it is not.
  return headerValue(headers, "sec-websocket-protocol") ?? "";
}

function wrong(what: string): TransportFailure {
  return new TransportFailure("malformed", `The upstream's answer to the WebSocket handshake is wrong: ${what}`);
}
