/**
 * One connection to an upstream, and the response that is received on it. An idle connection leaves the pool as soon
 * as the upstream closes it or sends unexpected bytes.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import { brokenConnection, TransportFailure, unusedConnection } from "../../failure/failure.ts";
import type { Ownership } from "../../http/body.ts";
import { chunkOf, LAST_CHUNK, lastChunk } from "../../http1/chunked_encoder.ts";
import type { ParsedResponseHead, ResponseHead } from "../../http1/response_head.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import { lastObjects } from "../../state/last_objects.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { ConnectionsConfig } from "../config/connections_schema.ts";
import { Deadlines, type SilenceLimits } from "./deadlines.ts";
import type { AskedHead, ConnectionUser, LentConnection } from "./lent_connection.ts";
import { RequestWriter } from "./request_writer.ts";
import { ResponseBody } from "./response_body.ts";
import { type InterimListener, ResponseInput } from "./response_input.ts";

/** Limits of silence and size. */
export interface ConnectionLimits extends SilenceLimits, Pick<ConnectionsConfig, "idle_timeout"> {
  /** Largest head of a response, in bytes. */
  readonly maxHeadBytes: number;
}

const enum Stage {
  /** Without an exchange. */
  Idle,
  /** Lent to an exchange that has not sent anything. */
  Lent,
  /** The head of the response is awaited. */
  Head,
  /** The head has arrived. */
  Body,
  /** There will be no response. */
  Failed,
}

/** A connection to one upstream. Owned by its pool; lent to one exchange at a time. */
export class Connection implements LentConnection, Watched, SocketHandler, InterimListener {
  // One write of head and body costs less than two.
  readonly headFirst = false;
  readonly mayRefuse = false;
  /** Finished exchanges; 0 on a new connection. */
  exchanges = 0;
  readonly deadlines: Deadlines;
  /** The body of the response, after its head has arrived and unless {@linkcode wholeBody} returned it. */
  readonly body: ResponseBody;
  readonly #socket: Socket;
  readonly #writer: RequestWriter;
  readonly #clock: CoarseClock;
  readonly #limits: ConnectionLimits;
  readonly #onRetired: (connection: Connection) => void;
  readonly #input: ResponseInput;
  #stage = Stage.Idle;
  /** The batch of events in which the request was sent; 0 if in none. */
  #askedBatch = 0;
  #user: ConnectionUser | undefined;
  #closed = false;
  /** Whether the upstream ended its side, or sent unexpected bytes. */
  #ended = false;
  #readError: unknown;
  #failure: TransportFailure | undefined;
  #idleDeadlineMs = 0;
  #idleTimeoutMs: number;

  /**
   * Takes over `socket`, which is paused.
   *
   * @param onRetired Called once when the connection closes.
   */
  constructor(
    socket: Socket,
    clock: CoarseClock,
    limits: ConnectionLimits,
    onRetired: (connection: Connection) => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#idleTimeoutMs = limits.idle_timeout;
    this.#onRetired = onRetired;
    this.deadlines = new Deadlines(clock, limits);
    this.#writer = new RequestWriter(socket, this.deadlines);
    this.#input = new ResponseInput(limits.maxHeadBytes, this);
    this.body = new ResponseBody(socket, this.deadlines, (failure) => this.#breakBody(failure));
    this.#ended = socket.closed;
    socket.handler = this;
    socket.resume();
    clock.watch(this);
  }

  /** Whether it can no longer be used. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether any byte of a response to the current request has arrived. */
  get responseBegun(): boolean {
    return this.#input.begun;
  }

  /** Whether the upstream may wrongly send a body behind the last response: its head says one that it must not have. */
  get mayGetBody(): boolean {
    return this.body.forbidden;
  }

  /** Whether bytes that were written are still queued. */
  get blocked(): boolean {
    return this.#writer.blocked;
  }

  /** Lends the connection to an exchange, with its limits or those of the connection. */
  begin(user: ConnectionUser, limits: SilenceLimits = this.#limits): void {
    this.#user = user;
    this.deadlines.limits = limits;
    this.#idleDeadlineMs = 0;
    this.#input.begun = false;
    this.#failure = undefined;
    this.#stage = Stage.Lent;
  }

  /** As {@linkcode LentConnection.ask}. */
  ask(head: AskedHead, body?: Uint8Array<ArrayBuffer>, ownership?: Ownership, chunked = false): void {
    // Bytes that arrived before the request belong to no request.
    if (this.#ended || this.#closed) throw this.#failure ?? unusedConnection();
    this.#stage = Stage.Head;
    this.#askedBatch = sharedTime.batch;
    this.#input.begin();
    this.deadlines.awaitHead();
    this.#writer.writeHead(head, chunked && body !== undefined ? chunkOf(body) : body, ownership);
  }

  /** Sends more of the request. Returns whether the system has accepted all bytes; else `onDrained` follows. */
  send(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    return this.#writer.write(bytes, ownership);
  }

  /** Sends `bytes`, not empty, as one chunk of a chunked body. Returns what {@linkcode send} returns. */
  sendChunk(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    return this.#writer.writeChunk(bytes, ownership);
  }

  /** Ends a chunked body. */
  sendLastChunk(trailers: readonly string[] | undefined): void {
    this.#writer.write(trailers === undefined ? LAST_CHUNK : encoder.encode(lastChunk(trailers)), "shared");
  }

  /** The whole request was sent: from now on the upstream's silence counts. */
  requestComplete(): void {
    this.#writer.complete();
  }

  /**
   * The whole body, if it has arrived: null when there is none, undefined when more must be read. It is lent: valid until
   * {@linkcode ConnectionUser.onHead} returns.
   *
   * @throws {TransportFailure} `malformed`.
   */
  wholeBody(): Uint8Array<ArrayBuffer> | null | undefined {
    return this.body.whole();
  }

  /**
   * Ends the exchange.
   *
   * @param sent Whether the whole request was sent.
   * @returns Whether the connection can be used again; otherwise it is closed.
   */
  finish(sent: boolean): boolean {
    this.#user = undefined;
    this.deadlines.endRead();
    this.deadlines.endClient();
    this.deadlines.endUpload();
    this.deadlines.uploading = false;
    const usable = sent && this.body.reusable && !this.#ended && !this.#closed && this.#socket.queuedBytes === 0;
    if (!usable) {
      this.close();
      return false;
    }
    this.exchanges++;
    this.#input.clear();
    this.rest();
    return true;
  }

  /** Makes the connection idle without an exchange, as one that was dialled and is not needed. */
  rest(): void {
    this.#stage = Stage.Idle;
    this.#idleDeadlineMs = this.#clock.nowMs + this.#idleTimeoutMs;
    this.body.finish();
    if (this.#ended) this.close();
  }

  /** Aborts the exchange, which fails with `failure`. */
  abort(failure: TransportFailure): void {
    this.#failure ??= failure;
    const user = this.#user;
    const stage = this.#stage;
    this.close();
    if (stage === Stage.Body) this.body.abort(this.#failure);
    else if (stage !== Stage.Failed) user?.onFailed(this.#failure);
  }

  /** Closes the connection. */
  close(): void {
    if (this.#closed) return;
    this.#retire();
    this.#socket.close();
  }

  /** A status of 101 alone switches protocols. */
  get tunnels(): boolean {
    return false;
  }

  /**
   * Returns the open socket to another protocol, paused; the connection itself is closed. The new owner sets its
   * handler at once.
   */
  detach(): Socket {
    this.#retire();
    this.#socket.pause();
    return this.#socket;
  }

  /** Bytes that arrived after the head of the response. */
  get early(): Uint8Array<ArrayBuffer> {
    return this.body.early;
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    const user = this.#user;
    if (user === undefined) {
      if (this.#idleDeadlineMs !== 0 && nowMs > this.#idleDeadlineMs) this.close();
      return;
    }
    this.#writer.tick();
    const failure = this.deadlines.expired(nowMs);
    if (failure !== undefined) return this.abort(failure);
    user.onTick();
  }

  /** From the socket: bytes arrived. */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (this.#stage === Stage.Head) this.#receiveHead(bytes, start, end);
    else if (this.#stage === Stage.Body) this.body.receive(bytes, start, end);
    else this.#ends();
  }

  /** From the socket: the queued bytes are sent. */
  drained(): void {
    this.#writer.drained();
    this.#user?.onDrained();
  }

  /** From the socket: the upstream ended its side. */
  ended(): void {
    this.#ends();
    if (this.#stage === Stage.Head) this.#failHead(this.#lostHead());
    else if (this.#stage === Stage.Body) {
      const proven = this.body.endsWithConnection && this.#socket.endUnproven !== true;
      this.body.connectionEnded(proven ? undefined : this.#lost("closed_in_body", "within its response's body"));
    }
  }

  /** From the socket: the connection broke. */
  failed(error: Error): void {
    this.#readError = error;
    this.#ends();
    if (this.#stage === Stage.Head) this.#failHead(this.#lostHead());
    else if (this.#stage === Stage.Body) {
      this.body.connectionEnded(this.#lost("closed_in_body", "within its response's body"));
    }
  }

  /** From the input: an interim response arrived. */
  interim(head: ResponseHead): void {
    this.deadlines.endRead();
    this.deadlines.awaitHead();
    this.#user?.onInterim(head);
  }

  // No request was sent, or no more of its response can arrive: the connection is not used again.
  #ends(): void {
    this.#ended = true;
    if (this.#stage === Stage.Idle) this.close();
  }

  #receiveHead(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    // All events of a batch happened before any of them was handled: these bytes came before the request, and are the rest of
    // what another client has asked for, or worse.
    if (this.#askedBatch !== 0 && this.#askedBatch === sharedTime.batch) return this.#failHead(this.#unasked());
    let head: ParsedResponseHead | undefined;
    try {
      head = this.#input.take(bytes, start, end);
    } catch (error) {
      return this.#failHead(error);
    }
    const user = this.#user;
    if (head === undefined || user === undefined) return;
    lastObjects.responseHead = head;
    const { exchanges } = this;
    this.#stage = Stage.Body;
    this.deadlines.endRead();
    if (head.keepAliveMs > 0) this.#limitIdleTime(head.keepAliveMs);
    this.body.begin(head, user, this.#input);
    user.onHead(head);
    head.expire();
    // The exchange may have ended within the call, and even another one may have begun.
    if (this.exchanges === exchanges && !this.#closed) this.body.settle();
  }

  // The upstream's Keep-Alive timeout began when it sent the response: subtract a second, at most half.
  #limitIdleTime(keepAliveMs: number): void {
    const margin = Math.min(1000, keepAliveMs / 2);
    this.#idleTimeoutMs = Math.min(this.#limits.idle_timeout, keepAliveMs - margin);
  }

  #failHead(failure: unknown): void {
    this.#ended = true;
    this.#stage = Stage.Failed;
    this.deadlines.endRead();
    this.#user?.onFailed(failure);
  }

  #breakBody(failure: unknown): void {
    this.#ended = true;
    this.body.abort(failure as TransportFailure);
  }

  #lostHead(): TransportFailure {
    // After an interim response the upstream may have processed the request.
    return this.responseBegun
      ? this.#lost("closed_in_head", "within its response's head")
      : this.#lost("closed_unanswered", "before it responded");
  }

  #unasked(): TransportFailure {
    return new TransportFailure("closed_unanswered", "The upstream sent something before it was asked");
  }

  #lost(kind: "closed_unanswered" | "closed_in_head" | "closed_in_body", where: string): TransportFailure {
    return this.#failure ?? brokenConnection(kind, `The upstream closed the connection ${where}`, this.#readError);
  }

  #retire(): void {
    this.#closed = true;
    this.#user = undefined;
    this.#clock.unwatch(this);
    this.#onRetired(this);
  }
}

const encoder = new TextEncoder();
