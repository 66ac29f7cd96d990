/**
 * The contract of byte streams: TCP and unix sockets, in callbacks. There are no promises and no streams, so that a
 * byte that arrives reaches its reader within the same turn of the event loop. Drivers implement it: `runtime` over
 * `Deno.listen` and `Deno.connect` everywhere, and those of Linux over the C library.
 *
 * Rules for drivers:
 *
 * - Callbacks are made from the event loop, never within a call of the same socket.
 * - After {@linkcode Socket.close} and {@linkcode Socket.reset} no callback is made.
 * - `ended` and `failed` are made at most once each. After `failed` the socket is closed.
 * - A handler may call any function of the socket, or replace {@linkcode Socket.handler}, within a callback.
 * - An exception of a handler ends that socket only: it is reported by {@linkcode SocketHandler.failed}. One of
 *   {@linkcode AcceptHandler.failed} or {@linkcode ConnectHandler.refused} has no socket: it is reported by `reportError`,
 *   and a listening socket accepts again all the same.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import type { SocketDriverName } from "./driver_name.ts";
import type { SocketRemains } from "./linux/remains.ts";
import type { TlsSession } from "./tls_session.ts";

/** Notified of the events of one socket. */
export interface SocketHandler {
  /**
   * Bytes arrived: `bytes[start … end)`, at least one. They are lent: valid until this returns. Until then the handler
   * may change them.
   */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void;
  /** The system has accepted all queued bytes. Called after a write that returned false, when nothing is queued. */
  drained(): void;
  /** The peer sends no more bytes. The socket can still be written to, until it is closed. */
  ended(): void;
  /**
   * The connection broke. The socket is closed, its queued bytes are lost. Bytes that had arrived before were received
   * first, unless reading was paused: a server may respond and close without reading the whole request.
   */
  failed(error: Error): void;
}

/** One end of a connection. Owned by its handler, which closes it. */
export interface Socket {
  /** Replaceable at any time, as by the protocol that follows an upgrade. */
  handler: SocketHandler;
  /** IP address of the peer, without brackets, IPv4 as `a.b.c.d` always; empty for a unix socket. */
  readonly remoteAddress: string;
  /** Port of the peer; 0 for a unix socket. */
  readonly remotePort: number;
  /** Written bytes that the system has not accepted. */
  readonly queuedBytes: number;
  /** Whether it is closed, by its owner or by a failure. */
  readonly closed: boolean;
  /**
   * Whether the end of the stream may be forged (truncation attack), as where the runtime does not report the
   * close_notify of TLS.
   *
   * @default {false}
   */
  readonly endUnproven?: boolean;
  /** What the handshake agreed on; undefined on a cleartext connection. */
  readonly tls?: TlsSession | undefined;
  /**
   * Writes bytes. What the system does not accept at once is queued without a limit: a writer that got false waits for
   * {@linkcode SocketHandler.drained}, or for a smaller {@linkcode queuedBytes}.
   *
   * @param ownership `lent` bytes may be changed as soon as this returns; `shared` ones never change; `given` ones
   * belong to the driver from now on, which may detach their buffer.
   * @param last Whether {@linkcode close} or {@linkcode end} follows at once, so that a driver may have the bytes leave in
   * one packet with the end.
   *
   * @default {false}
   * @returns Whether nothing is queued. After {@linkcode end} or {@linkcode close} the bytes are dropped.
   */
  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last?: boolean): boolean;
  /**
   * Sends what is queued, and behind it bytes of a file, which the system takes from its own cache. Nothing of the file
   * is queued: the descriptor is used during the call alone. Ends a {@linkcode cork}. A driver may take less than there
   * is room for, so that other sockets get their turn.
   *
   * undefined where the driver has no such call.
   *
   * @param descriptor The system's descriptor of a regular file.
   * @param offset Where the bytes begin in the file.
   * @param length How many there are, at least one.
   * @returns How many bytes of the file were accepted. After fewer than `length`, `drained` follows once more can be.
   * -1 if none can be sent in this way, as at the end of the file: they are to be read and written.
   */
  sendFile?(descriptor: number, offset: number, length: number): number;
  /** Collects writes until {@linkcode uncork}, which sends them with as few system calls as possible. */
  cork(): void;
  /** Sends what was collected. Returns whether nothing is queued. */
  uncork(): boolean;
  /**
   * Stops reading: `received` is not called until {@linkcode resume}, and `ended` not before the bytes in front of it.
   */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /**
   * Finds out, during a pause, whether the peer has left. For an owner that wants to know it at once, and calls this
   * about once a second, as the client's side does while an upload is paused. A connection that broke is then reported by
   * {@linkcode SocketHandler.failed}, from the event loop: bytes that arrived before it broke, and were not received, are
   * lost. An owner of an upstream's socket does not call it, because a response that was sent before a reset can still be
   * read.
   *
   * undefined where the driver cannot tell.
   *
   * @returns Whether the peer's end is known to have arrived, though bytes in front of it may not be received yet.
   */
  checkPeer?(): boolean;
  /** Ends the writing side (FIN) once the queued bytes are sent. Reading goes on. */
  end(): void;
  /** Closes both directions at once. Queued bytes are lost. */
  close(): void;
  /**
   * As {@linkcode close}, with a reset instead of a FIN where the driver can: a peer that reads a body up to the end of
   * the connection does not take it for complete.
   */
  reset(): void;
}

/** Where to connect to: an IP address and a port, or the path of a unix socket. */
export type ConnectTarget =
  | { readonly address: string; readonly port: number }
  | { readonly path: string };

/** Notified of the result of one connect. Exactly one of the functions is called, once; none after `abandon`. */
export interface ConnectHandler {
  /** The connection is open. The handler of `socket` must be set before this returns; reading begins afterwards. */
  connected(socket: Socket): void;
  /** It could not be opened. The error is of the class and with the text that `Deno.connect` has. */
  refused(error: Error): void;
}

/** A connection that is being opened. */
export interface PendingConnect {
  /** Gives it up. If it opens later, it is closed. */
  abandon(): void;
}

/** Notified of the events of a listening socket. */
export interface AcceptHandler {
  /** A connection was accepted. The handler of `socket` must be set before this returns; reading begins afterwards. */
  accepted(socket: Socket): void;
  /**
   * A connection could not be accepted, as when file handles run out (EMFILE). The listening socket stays open and
   * accepts again after a pause, or when {@linkcode ListeningSocket.retry} is called.
   */
  failed(error: Error): void;
}

/** A socket that accepts connections. */
export interface ListeningSocket {
  /** IP address that it listens on. */
  readonly address: string;
  /** Port number. */
  readonly port: number;
  /** Accepts again at once after a failure. */
  retry(): void;
  /**
   * Stops accepting. Accepted connections stay open. Those that wait in the backlog are accepted first, within the call,
   * where the driver can.
   */
  close(): void;
}

/** Where and how to listen. */
export interface ListenTarget {
  /** IP address; `::` means both families where the system has IPv6. */
  readonly address: string;
  /** Port number; 0 for any that is free. */
  readonly port: number;
  /** Whether other workers or processes may listen on the same port (SO_REUSEPORT). */
  readonly shared: boolean;
  /**
   * Most file handles that the process is to have open with an accepted connection. When there are as many, accepting fails
   * with EMFILE, where the driver can tell. So some are left for other things than clients.
   *
   * @default {as many as the system allows}
   */
  readonly mostHandles?: number | undefined;
}

/** Opens sockets. One for each thread, for as long as the thread lasts. */
export interface SocketDriver {
  readonly name: SocketDriverName;
  /** What is left of it when its thread ends, for `closeRemains`; undefined where the runtime closes everything. */
  readonly remains?: SocketRemains;
  /**
   * Opens a listening socket.
   *
   * @throws {Error} Of the class and with the text that `Deno.listen` has, such as `Deno.errors.AddrInUse`.
   */
  listen(target: ListenTarget, handler: AcceptHandler): ListeningSocket;
  /** Opens a connection. The callbacks are made after this has returned. */
  connect(target: ConnectTarget, handler: ConnectHandler): PendingConnect;
  /**
   * Memory that the driver sends from without a copy: a message that is composed in it and written at once as `lent`
   * is not copied again. Its content is undefined after the next call of any function of the driver or its sockets.
   * undefined where the driver has no such memory.
   */
  readonly scratch: Uint8Array<ArrayBuffer> | undefined;
  /**
   * Hands to the system at once what was written in this turn. To be called before the thread ends.
   *
   * undefined where every write does so.
   */
  flush?(): void;
}
