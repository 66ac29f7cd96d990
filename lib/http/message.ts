/**
 * The types of requests and responses. Applications exchange web-standard `Request` and `Response` objects with BWS;
 * inside, a request is a {@linkcode RequestHead} and a body source, and a response is an {@linkcode HttpResponse}.
 * Plain data keeps header lines in order and number, needs no server in tests, and needs no `Headers` objects.
 *
 * @module
 */

import type { Socket } from "../sockets/socket.ts";
import type { HeaderBytes } from "../http1/header_bytes.ts";
import type { BodySource } from "./body.ts";

/**
 * Header field lines, flat: `[name, value, name, value, …]` in the order of the wire. Names keep the case in which they
 * were received; values have one character for each byte (ISO 8859-1), as RFC 9110, section 5.5 allows bytes above
 * 0x7F.
 */
export type HeaderLines = string[];

/** The peer of a connection. */
export interface Peer {
  /** IP address without brackets; IPv4 in IPv6 form (`::ffff:a.b.c.d`) is converted to IPv4. Empty for unix sockets. */
  readonly address: string;
  /** TCP port; 0 for unix sockets. */
  readonly port: number;
}

/**
 * The route that a site has chosen for a target, kept for further requests of the same target. Plain numbers, so that it
 * keeps nothing of a site that is gone.
 */
export interface RouteChoice {
  /** Raw path that it was chosen for. */
  readonly path: string;
  /** Number of the site; 0 while no route was chosen. */
  site: number;
  /** Method that it was chosen for. */
  method: string;
  /** The route's index in the site, from 0. */
  route: number;
}

/** The head of a request as the client sent it, validated but not changed. */
export interface RequestHead {
  /** Method, case preserved (RFC 9110, section 9.1: methods are case-sensitive). */
  readonly method: string;
  /** Raw path, byte for byte, without the query. Always begins with `/`. */
  readonly path: string;
  /** Raw query with its `?`, or the empty string. */
  readonly query: string;
  /** Authority (`host` or `host:port`), valid, as the client wrote it. */
  readonly authority: string;
  /** Host of the authority in lower case, without port and without a trailing dot; IPv6 in brackets. */
  readonly host: string;
  /** Scheme of the connection that accepted the request. */
  readonly scheme: "http" | "https";
  /** {@linkcode HeaderLines}, which must not be changed; names in lower case if the listener provides them so. */
  readonly headers: readonly string[];
  /** The peer of the connection, which may be a proxy. */
  readonly peer: Peer;
  /** Value of Via, or empty; undefined if the listener does not provide it. */
  readonly via?: string;
  /** Value of Upgrade, or empty; undefined if the listener does not provide it. */
  readonly upgrade?: string;
  /** Protocol, as `HTTP/2.0`; undefined for HTTP/1.1 and earlier. */
  readonly protocol?: string;
  /** The head as the client sent it, where a rewrite has made this one of it. */
  readonly original?: RequestHead;
  /**
   * Where the choice of its route is kept; undefined if the listener does not provide it.
   *
   * @internal
   */
  readonly choice?: RouteChoice;
}

/** The body of a response: complete bytes that may be shared, a source of pieces, or no body. */
export type ResponseBody = Uint8Array<ArrayBuffer> | BodySource | null;

/** A response to a client. */
export interface HttpResponse {
  /** Status code, 200 to 599, or 101 with `upgrade`. */
  readonly status: number;
  /** Header lines, without hop-by-hop fields. */
  readonly headers: HeaderLines;
  /** If the body is a source, a `content-length` line (if any) gives its exact size. */
  readonly body: ResponseBody;
  /** With status 101 and no body: takes over the client's connection. */
  readonly upgrade?: Upgrade;
  /** Reason phrase of the upstream; undefined for the usual one of the status. */
  readonly reason?: string | undefined;
  /**
   * Whether the client gets nothing: its connection is closed, or its stream reset. A listener that cannot do that sends the
   * response.
   *
   * @default {false}
   */
  readonly dropped?: boolean;
  /**
   * Whether the bytes of the body are lent: they are valid only until the call that was given the response returns.
   *
   * @default {false}
   */
  readonly lent?: boolean;
  /**
   * Names the content that a response with status 200 has: two responses with the same key have the same bytes. undefined
   * where that is not known.
   */
  readonly contentKey?: string | undefined;
  /**
   * More header lines, which come before {@linkcode headers}, as bytes that are lent as the body's may be. Only for
   * clients with `ClientSide.takesPassed`.
   */
  readonly passed?: HeaderBytes | undefined;
}

/** In place of a response that is made later: its listener gets it by `ClientSide.respondLate`. */
export const LATER: HttpResponse = Object.freeze({ status: 0, headers: [], body: null });

/** A response whose bytes stay valid: `response` itself, or one with a copy of its body. */
export function keepResponse(response: HttpResponse): HttpResponse {
  const { body, lent } = response;
  return lent === true && body instanceof Uint8Array ? { ...response, body: body.slice(), lent: false } : response;
}

/** Takes over a client's connection that becomes a WebSocket. Exactly one of its functions is called, once. */
export interface Upgrade {
  /**
   * Idle time after which the runtime closes the connection, in seconds; it sends a ping after half of that. 0 turns
   * both off.
   */
  readonly idleTimeoutSeconds: number;
  /** The client's socket, which opens when the response is sent. Listeners must be attached before this returns. */
  begin(socket: WebSocket): void;
  /**
   * Takes over the client's connection as bytes, after the head of the response was written. The handler of `client`
   * must be set before this returns. Called in place of {@linkcode begin} where `ClientSide.tunnels` is set.
   *
   * @param early Bytes that arrived after the client's request.
   */
  tunnel?(client: Socket, early: Uint8Array<ArrayBuffer>): void;
  /**
   * Called if the runtime cannot upgrade the request: releases what is held, and returns the response in place of the
   * upgrade.
   */
  fail(reason: string): HttpResponse;
}
