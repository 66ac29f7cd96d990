/**
 * Upgrades (RFC 9110, section 7.8): what asks an upstream for another protocol, and takes its connection over once the
 * upstream has switched.
 *
 * @module
 */

import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Wire } from "../../sockets/wire.ts";

/** The upgrade of one exchange. Its request is a GET without a body. */
export interface UpstreamUpgrade {
  /** The header lines that ask for it, each with its CRLF; new ones for each attempt. */
  ask(): string;
  /**
   * Checks the head of a response of status 101.
   *
   * @throws {TransportFailure} `malformed` when it does not answer what was asked last.
   */
  check(head: ResponseHead): void;
  /**
   * The upstream has switched. Takes over its connection.
   *
   * @param headers Header lines for the client, hop-by-hop fields gone.
   * @returns What upgrades the client's connection as well.
   */
  accept(head: ResponseHead, headers: HeaderLines, connection: UpgradedConnection): HttpResponse;
}

/** A connection that has switched protocols. Whoever takes it over closes the wire and calls `release`. */
export interface UpgradedConnection {
  /** The stream of bytes. */
  readonly wire: Wire;
  /** What came behind the head of the response. */
  readonly early: Uint8Array;
  /** Name of the upstream in its pool. */
  readonly upstream: string;
  /** Ends the attempt: its place in the upstream's in-flight count is free. */
  release(): void;
}
