/**
 * The shapes that travel through BWS. At the edge stand web-standard `Request` and `Response`; inside, a request is a
 * {@linkcode RequestHead} and a body source, an answer is an {@linkcode HttpResponse}. Plain data keeps header lines in order
 * and number, needs no server in tests, and builds no `Headers` objects on the way.
 *
 * @module
 */

import type { BodySource } from "./body.ts";

/**
 * Header field lines, flat: `[name, value, name, value, …]` in the order of the wire. Names keep the case that they came
 * with; values hold one character for each byte (ISO 8859-1), as RFC 9110, section 5.5 allows bytes above 0x7F.
 */
export type HeaderLines = string[];

/** Who sent a request. */
export interface Peer {
  /** IP address without brackets; IPv4 in IPv6 form (`::ffff:a.b.c.d`) is already plain IPv4. Empty for unix sockets. */
  readonly address: string;
  /** TCP port; 0 where there is none. */
  readonly port: number;
}

/** The head of a request as the client sent it, checked but not rewritten. */
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
  /** {@linkcode HeaderLines} that nobody changes; names in lower case where the listener gives them so. */
  readonly headers: readonly string[];
  /** The peer of the connection, which may be a proxy. */
  readonly peer: Peer;
  /** Value of Via, or empty; undefined where the listener does not look for it. */
  readonly via?: string;
  /** Value of Upgrade, or empty; undefined where the listener does not look for it. */
  readonly upgrade?: string;
}

/** A response's body: bytes that are whole and shared, a source of pieces, or nothing. */
export type ResponseBody = Uint8Array<ArrayBuffer> | BodySource | null;

/** What goes back to the client. */
export interface HttpResponse {
  /** Status code, 200 to 599, or 101 with `upgrade`. */
  readonly status: number;
  /** Header lines; hop-by-hop fields are already gone. */
  readonly headers: HeaderLines;
  /** The body. With a source, a `content-length` line (if any) tells its exact size. */
  readonly body: ResponseBody;
  /** With status 101 and no body: who takes over the client's connection. */
  readonly upgrade?: Upgrade;
}

/** Takes over a client's connection that becomes a WebSocket. Exactly one of its functions is called, once. */
export interface Upgrade {
  /** Silence after which the runtime gives the client up, in seconds; it pings at half of that. 0: it does neither. */
  readonly idleTimeoutSeconds: number;
  /** The client's socket, which opens when the answer is sent. Listeners must be attached before this returns. */
  begin(socket: WebSocket): void;
  /** The runtime cannot upgrade this request; gives what the client is told instead. */
  fail(reason: string): HttpResponse;
}
