/**
 * The contract between an exchange and what its request is sent on: a connection of HTTP/1.1, or a stream of HTTP/2.
 *
 * @module
 */

import type { BodySource, Ownership } from "../../http/body.ts";
import type { TransportFailure } from "../../failure/failure.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { HeadWriter } from "../../http1/head_writer.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Deadlines, SilenceLimits } from "./deadlines.ts";
import type { AskedRequest } from "./response_body.ts";

/** The user of a connection during an exchange. */
export interface ConnectionUser extends AskedRequest {
  /** Whether the request has a body, which may still turn out to be empty. */
  readonly sendsBody: boolean;
  /** Whether the request asks for another protocol. */
  readonly upgrades?: boolean;
  /** Called on each tick of the clock during the exchange: the user checks whether the client has left. */
  onTick(): void;
  /** An interim response (1xx without 101) arrived. */
  onInterim(head: ResponseHead): void;
  /**
   * The head of the response arrived. Its lines are to be asked for within the call, if at all. Within it, the bytes of the body that came with it can be taken without a
   * copy by {@linkcode LentConnection.wholeBody}.
   */
  onHead(head: ResponseHead): void;
  /**
   * There will be no response: the connection was aborted, or broke before the end of the head. Called at most once,
   * in place of {@linkcode onHead}. A failure within the body goes to the sink of the body.
   *
   * @param failure A `TransportFailure`: `refused`, `closed_unanswered`, `closed_in_head`, `malformed`, `read_timeout`,
   * `write_timeout`, `client_timeout`, or what {@linkcode LentConnection.abort} was given.
   */
  onFailed(failure: unknown): void;
  /** The system has accepted all bytes of the request that were written. Called after a write that returned false. */
  onDrained(): void;
}

/** What writes the head of a request, of HTTP/1.1, with its empty line. */
export interface HeadSource {
  /** Writes it, whole. */
  writeHead(out: HeadWriter): void;
}

/** The head of a request: what writes it, or text, one character a byte. */
export type AskedHead = HeadSource | string;

/** A connection, or a stream of one, that is lent to one exchange. */
export interface LentConnection {
  /** Whether the head of a request is sent at once, without waiting for the first piece of its body. */
  readonly headFirst: boolean;
  /** Whether a request that was sent may be refused without being acted on, and is sent again then, whatever its method. */
  readonly mayRefuse: boolean;
  /** Exchanges that the connection had before; 0 on a new one. */
  readonly exchanges: number;
  readonly deadlines: Deadlines;
  /** The body of the response, after its head has arrived and unless {@linkcode wholeBody} returned it. */
  readonly body: BodySource;
  /** Whether any byte of a response to the current request has arrived. */
  readonly responseBegun: boolean;
  /** Whether bytes that were written are still queued. */
  readonly blocked: boolean;
  /** Lends it to an exchange, with its limits or those of the connection. */
  begin(user: ConnectionUser, limits?: SilenceLimits): void;
  /**
   * Sends a request's head and the bytes of its body that are given, in one write, and awaits the response.
   *
   * @param chunked Whether the length of the body is not known: the given bytes are a chunk.
   * @throws {TransportFailure} `closed_unused` when nothing was sent, because the connection has ended meanwhile.
   */
  ask(head: AskedHead, body?: Uint8Array<ArrayBuffer>, ownership?: Ownership, chunked?: boolean): void;
  /** Sends more of the request. Returns whether the system has accepted all bytes; else `onDrained` follows. */
  send(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean;
  /** Sends `bytes`, not empty, of a body whose length is not known. Returns what {@linkcode send} returns. */
  sendChunk(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean;
  /** Ends a body whose length is not known. */
  sendLastChunk(trailers: readonly string[] | undefined): void;
  /** The whole request was sent: from now on the upstream's silence counts. */
  requestComplete(): void;
  /**
   * The whole body, if it has arrived: null when there is none, undefined when more must be read.
   *
   * @throws {TransportFailure} `malformed`.
   */
  wholeBody(): Uint8Array<ArrayBuffer> | null | undefined;
  /**
   * Ends the exchange.
   *
   * @param sent Whether the whole request was sent.
   * @returns Whether it idles now and can be used again.
   */
  finish(sent: boolean): boolean;
  /**
   * Whether the upstream switches protocols with a response of success (RFC 8441, section 5), and not with 101.
   */
  readonly tunnels: boolean;
  /** Bytes that arrived after the head of a response that switched protocols. */
  readonly early: Uint8Array<ArrayBuffer>;
  /**
   * Returns what carries the other protocol as a socket, paused. The new owner sets its handler at once, and calls
   * {@linkcode close} once it has closed it.
   */
  detach(): Socket;
  /** Aborts the exchange, which fails with `failure`. */
  abort(failure: TransportFailure): void;
  /** Ends it at once, without a call of its user. */
  close(): void;
}
