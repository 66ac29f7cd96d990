/**
 * How an exchange with an upstream can fail. The proxy above decides by {@linkcode FailureKind} what may be tried again
 * and what the client is told.
 *
 * @module
 */

import { shortageOf } from "./shortage.ts";

/** Where an exchange broke. */
export type FailureKind =
  /** No connection: refused, unreachable, unknown name, TLS handshake refused. No byte was sent. */
  | "connect"
  /** No connection within `connectTimeoutMs`. No byte was sent. */
  | "connect_timeout"
  /** This machine lacks what a connection takes: file handles, memory, ports. No byte was sent. */
  | "shortage"
  /** Too many connections were being dialled for it to have its turn within `connectTimeoutMs`. No byte was sent. */
  | "dial_queue"
  /** A kept connection closed, or spoke out of turn, before any byte of the request was sent on it. */
  | "closed_unused"
  /** The connection closed or broke before any byte of an answer. */
  | "closed_unanswered"
  /** The connection closed or broke within the answer's head. */
  | "closed_in_head"
  /** The connection closed or broke within the answer's body. */
  | "closed_in_body"
  /** The answer is not HTTP/1.1. */
  | "malformed"
  /** Silence for longer than `readTimeoutMs`. */
  | "read_timeout"
  /** The upstream took no bytes for longer than `writeTimeoutMs`. */
  | "write_timeout"
  /** The client left. */
  | "client_left"
  /** The client sent nothing, or took nothing, for longer than `clientTimeoutMs`. */
  | "client_timeout"
  /** The client's body is larger than allowed. */
  | "body_too_large"
  /** The proxy shuts down or dropped the connection for reasons of its own. */
  | "dropped";

/** Who caused a failure. */
export type FailureOwner = "client" | "upstream" | "proxy";

/** A failed exchange with an upstream. */
export class TransportFailure extends Error {
  /** Where it broke. */
  readonly kind: FailureKind;
  override readonly name = "TransportFailure";

  /**
   * @param kind Where it broke.
   * @param message What happened, for the log; never for the client.
   * @param cause The runtime's own error, if there is one.
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

/** The failure of a connection that broke by `cause`: the upstream's, unless this machine lacks what a socket takes. */
export function brokenConnection(kind: FailureKind, message: string, cause: unknown): TransportFailure {
  const shortage = shortageOf(cause);
  return shortage === undefined
    ? new TransportFailure(kind, message, cause)
    : new TransportFailure("dropped", `Cannot read or write: ${shortage.advice}`, cause);
}

/** The failure of a kept connection that ended before it was used. */
export function unusedConnection(): TransportFailure {
  return new TransportFailure("closed_unused", "The kept connection ended before it was used");
}

/** Whoever is not named here: the upstream. */
const OWNERS: Readonly<Partial<Record<FailureKind, FailureOwner>>> = {
  client_left: "client",
  client_timeout: "client",
  body_too_large: "client",
  dropped: "proxy",
  shortage: "proxy",
  dial_queue: "proxy",
};
