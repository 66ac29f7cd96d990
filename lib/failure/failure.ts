/**
 * How an exchange with an upstream can fail. {@linkcode FailureKind} decides whether a request may be retried, and
 * which status the client gets.
 *
 * @module
 */

import { shortageOf } from "./shortage.ts";

/** The step at which an exchange failed. */
export type FailureKind =
  /** No connection: refused, unreachable, unknown name, TLS handshake refused. No byte was sent. */
  | "connect"
  /** No connection within `connectTimeoutMs`. No byte was sent. */
  | "connect_timeout"
  /** This machine has no resources for a connection: file handles, memory, ports. No byte was sent. */
  | "shortage"
  /** The dial did not begin within `connectTimeoutMs`, because too many others were in progress. No byte was sent. */
  | "dial_queue"
  /** An idle connection was closed, or received unexpected bytes, before any byte of the request was sent. */
  | "closed_unused"
  /** The upstream says that it did not act on the request (RFC 9113, section 8.7). Bytes of it may have been sent. */
  | "refused"
  /** The connection closed or broke before any byte of a response. */
  | "closed_unanswered"
  /** The connection closed or broke within the head of the response, or its stream was reset before its end. */
  | "closed_in_head"
  /** The connection closed or broke within the body of the response. */
  | "closed_in_body"
  /** The response is not HTTP/1.1, or not HTTP/2. */
  | "malformed"
  /** The upstream sent no bytes for longer than `readTimeoutMs`. */
  | "read_timeout"
  /** The upstream accepted no bytes for longer than `writeTimeoutMs`. */
  | "write_timeout"
  /** The client left. */
  | "client_left"
  /** The client sent or read no bytes for longer than `clientTimeoutMs`. */
  | "client_timeout"
  /** The client's body is larger than allowed. */
  | "body_too_large"
  /** The proxy is shutting down, or closed the connection for an internal reason. */
  | "dropped";

/** Who caused a failure. */
export type FailureOwner = "client" | "upstream" | "proxy";

/** A failed exchange with an upstream. */
export class TransportFailure extends Error {
  readonly kind: FailureKind;
  override readonly name = "TransportFailure";

  /**
   * @param kind The step at which the exchange failed.
   * @param message What happened, for the log; never for the client.
   * @param cause The runtime's error, if there is one.
   */
  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }

  /** Who caused it. */
  get owner(): FailureOwner {
    return OWNERS[this.kind] ?? "upstream";
  }
}

/** The failure of a connection that broke by `cause`: the upstream's, unless this machine ran out of a resource. */
export function brokenConnection(kind: FailureKind, message: string, cause: unknown): TransportFailure {
  const shortage = shortageOf(cause);
  return shortage === undefined
    ? new TransportFailure(kind, message, cause)
    : new TransportFailure("dropped", `Cannot read or write: ${shortage.advice}`, cause);
}

/** The failure of an idle connection that closed before it was used. */
export function unusedConnection(): TransportFailure {
  return new TransportFailure("closed_unused", "The kept connection ended before it was used");
}

/** Owners by kind; the upstream for kinds that are not listed. */
const OWNERS: Readonly<Partial<Record<FailureKind, FailureOwner>>> = {
  client_left: "client",
  client_timeout: "client",
  body_too_large: "client",
  dropped: "proxy",
  shortage: "proxy",
  dial_queue: "proxy",
};
