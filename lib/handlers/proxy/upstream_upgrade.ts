/**
 * Upgrades (RFC 9110, section 7.8): the contract of a request for another protocol, which takes over the connection
 * once the upstream has switched.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { LentConnection } from "../../upstream/connection/lent_connection.ts";

/** The upgrade of one exchange. Its request is a GET without a body. */
export interface UpstreamUpgrade {
  /** The header lines of the request, each with its CRLF; new ones for each attempt. */
  ask(): string;
  /**
   * Checks the head of a response of status 101.
   *
   * @throws {TransportFailure} `malformed` when the head does not match the last {@linkcode ask}.
   */
  check(head: ResponseHead): void;
  /**
   * The head of a response of success to an extended CONNECT (RFC 8441, section 5), as the head of a response of status
   * 101 that matches the last {@linkcode ask}.
   */
  opened(head: ResponseHead): ResponseHead;
  /**
   * Takes over the connection of an upstream that has switched.
   *
   * @param headers Header lines for the client, without hop-by-hop fields.
   * @returns The response that upgrades the client's connection.
   */
  accept(head: ResponseHead, headers: HeaderLines, connection: UpgradedConnection): HttpResponse;
}

/** A connection that has switched protocols. The new owner closes the socket and calls `release`. */
export interface UpgradedConnection {
  /** The socket, paused. The new owner sets its handler, and checks whether it is closed. */
  readonly socket: Socket;
  /** Bytes that arrived after the head of the response. */
  readonly early: Uint8Array<ArrayBuffer>;
  /** Name of the upstream in its pool. */
  readonly upstream: string;
  /** Ends the attempt and releases its slot. */
  release(): void;
}

/** The head of a response to an upgrade, which is 101 where the upstream has switched protocols in the way of HTTP/2. */
export function upgradeHead(
  head: ResponseHead,
  upgrade: UpstreamUpgrade,
  { tunnels }: Pick<LentConnection, "tunnels">,
): ResponseHead {
  return tunnels && head.status >= 200 && head.status < 300 ? upgrade.opened(head) : head;
}

/**
 * Checks the head of a response of status 101.
 *
 * @param upgrade What the upstream was asked for, if anything.
 * @throws {TransportFailure} `malformed`.
 */
export function checkSwitch(head: ResponseHead, upgrade: UpstreamUpgrade | undefined): void {
  if (upgrade !== undefined) return upgrade.check(head);
  throw new TransportFailure("malformed", "The upstream switched protocols, which it was not asked to");
}
