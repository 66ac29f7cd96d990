/**
 * A connection of the load generator: sends a request when asked to, and says when the response is complete.
 *
 * @module
 */

import type { ConnectHandler, Socket, SocketHandler } from "../../lib/sockets/socket.ts";
import type { BlockingLoop } from "./blocking_loop.ts";
import type { ResponseReader } from "./response_reader.ts";

/** What all connections of a load have in common. */
export interface ConnectionPlan {
  port: number;
  /** Sent in turn. */
  requests: readonly Uint8Array<ArrayBuffer>[];
  /** Whether each request comes on a connection of its own. */
  newConnection: boolean;
  /** What a new connection sends first. */
  handshake?: Uint8Array<ArrayBuffer>;
  /** Reader of the response to the handshake, of another connection each. */
  handshakeReader?(): ResponseReader;
  /** Reader of responses, of another connection each. */
  reader(): ResponseReader;
}

/** Notified of what comes of requests. */
export interface ConnectionOwner {
  /** The response is complete; another request can be sent. */
  responded(connection: PacedConnection): void;
  /** There is no response, or not the expected one; another request can be sent. */
  failed(connection: PacedConnection, cause: string): void;
  /** The peer has closed a connection that was not in use. */
  closedUnasked(): void;
}

/** A connection with one request at a time. It is opened for the first request, and again after it was closed. */
export class PacedConnection implements SocketHandler, ConnectHandler {
  /** Number of it among the connections of its owner. */
  readonly index: number;
  readonly #loop: BlockingLoop;
  readonly #plan: ConnectionPlan;
  readonly #owner: ConnectionOwner;
  /** Which request is next. */
  #turn: number;
  #socket: Socket | undefined;
  #reader: ResponseReader;
  /** Whether a response is expected. */
  #busy = false;
  #shakingHands = false;
  /** Whether the response is complete, though the request is not sent in full. */
  #early = false;

  constructor(loop: BlockingLoop, plan: ConnectionPlan, owner: ConnectionOwner, index: number) {
    this.index = index;
    this.#loop = loop;
    this.#plan = plan;
    this.#owner = owner;
    this.#turn = index;
    this.#reader = plan.reader();
  }

  /** Sends a request. */
  send(): void {
    this.#busy = true;
    if (this.#socket === undefined) this.#loop.connect(this.#plan.port, this);
    else this.#write(this.#socket);
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  connected(socket: Socket): void {
    const { handshake, handshakeReader, reader } = this.#plan;
    this.#socket = socket;
    socket.handler = this;
    this.#shakingHands = handshake !== undefined;
    this.#reader = (handshakeReader ?? reader)();
    if (handshake !== undefined) socket.write(handshake, "shared");
    else this.#write(socket);
  }

  refused(error: Error): void {
    this.#fail(error.message);
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (!this.#busy) return this.#fail("bytes without a request");
    try {
      if (!this.#reader.take(bytes, start, end)) return;
    } catch (error) {
      return this.#fail((error as Error).message);
    }
    if (this.#shakingHands) {
      this.#shakingHands = false;
      this.#reader = this.#plan.reader();
      this.#write(this.#socket!);
    } else if (this.#socket!.queuedBytes > 0) this.#early = true;
    else this.#respond();
  }

  drained(): void {
    if (!this.#early) return;
    this.#early = false;
    this.#respond();
  }

  ended(): void {
    if (this.#busy) return this.#fail("connection closed before the end of a response");
    this.close();
    this.#owner.closedUnasked();
  }

  failed(error: Error): void {
    if (this.#busy) return this.#fail(error.message);
    this.#socket = undefined;
    this.#owner.closedUnasked();
  }

  #write(socket: Socket): void {
    const { requests } = this.#plan;
    socket.write(requests[this.#turn++ % requests.length], "shared");
  }

  #respond(): void {
    this.#busy = false;
    if (this.#plan.newConnection) this.close();
    this.#owner.responded(this);
  }

  #fail(cause: string): void {
    const busy = this.#busy;
    this.#busy = this.#early = false;
    this.close();
    if (busy) this.#owner.failed(this, cause);
    else this.#owner.closedUnasked();
  }
}
