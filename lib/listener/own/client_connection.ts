/**
 * One client's connection: requests are read and responded to in their order, and what goes wrong ends it. A state
 * machine, driven by the events of its socket, its responder and its clock; none of them waits for another.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { type HttpResponse, LATER, type Peer, type RequestHead } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import type { Head } from "../../http1/head.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import { ClientDeadlines } from "./client_deadlines.ts";
import { HalfClosedClient } from "./half_closed_client.ts";
import { IncomingBody } from "./incoming_body.ts";
import { LastBytes, LINGER_MS } from "./last_bytes.ts";
import { MAX_DISCARDED_BYTES } from "./limits_schema.ts";
import type { CloseCause } from "./close_cause.ts";
import type { ListenerConnection } from "./listener_connection.ts";
import type { ListenerParts } from "./listener_parts.ts";
import { readRequest } from "./parsed_request.ts";
import { drop, internalError, RequestClient, type RequestConnection } from "./request_client.ts";
import { RequestReader, type RequestTaker } from "./request_reader.ts";
import { ResponseSender, type SenderHost } from "./response_sender.ts";

const enum Phase {
  /** The next request is awaited, or its head is being read. */
  Head,
  /** A request is responded to. */
  Exchange,
  /** The response is written, and waits to be taken by the client before the next request is read. */
  Backlog,
  /** The response is written, and the rest of the request's body is read past. */
  Discard,
  /** The last response is written. */
  Closing,
  /** The socket was handed over. */
  Tunnel,
  Closed,
}

/** A connection. Owned by the table of its listener until it closes. */
export class ClientConnection
  implements ListenerConnection, SocketHandler, SenderHost, RequestConnection, RequestTaker {
  readonly socket: Socket;
  /** The client's address and port. */
  readonly peer: Peer;
  readonly parts: ListenerParts;
  readonly deadlines: ClientDeadlines;
  readonly sender: ResponseSender;
  tableIndex = -1;
  closing = false;
  readonly #reader: RequestReader;
  readonly #halfClosed = new HalfClosedClient();
  #phase: Phase = Phase.Head;
  /** The request that is responded to. */
  #client: RequestClient | undefined;
  /** Whether its response is awaited. */
  #awaited = false;
  /** The body of the last request. */
  #body: IncomingBody | null = null;
  #requests = 0;
  #paused = false;
  #draining = false;
  #refusing = false;
  /** Why the connection ends with the current response. */
  #cause: CloseCause = "served";

  /** Takes over an accepted socket. */
  constructor(socket: Socket, peer: Peer, parts: ListenerParts) {
    this.socket = socket;
    this.peer = peer;
    this.parts = parts;
    this.deadlines = new ClientDeadlines(parts.clock, parts.limits);
    this.sender = new ResponseSender(this, parts.memory);
    this.#reader = new RequestReader(this);
    this.deadlines.awaitRequest(true);
    socket.handler = this;
  }

  get ready(): boolean {
    return this.#phase === Phase.Head;
  }

  /** Since when nothing is under way, on the clock; -1 if something is, as while the last response is not taken yet. */
  get idleSinceMs(): number {
    return this.#reader.begun ? -1 : this.awaitedSinceMs;
  }

  get awaitedSinceMs(): number {
    return this.#phase !== Phase.Head || this.socket.queuedBytes > 0 ? -1 : this.deadlines.sinceMs;
  }

  get used(): boolean {
    return this.#requests > 0;
  }

  /** Whether it was handed over, so that another handler closes it. */
  get tunnelled(): boolean {
    return this.#phase === Phase.Tunnel;
  }

  /**
   * Ends it after the response that is being made; at once where there is none, unless it is so new, or was used so lately,
   * that a request may be on the way.
   */
  drain(): void {
    this.#draining = true;
    this.closing = true;
    const { idleSinceMs } = this;
    if (idleSinceMs >= 0 && this.used && this.parts.clock.nowMs - idleSinceMs > BUSY_MS) this.close("shutdown");
  }

  /** Closes it at once. */
  close(cause: CloseCause): void {
    if (this.#phase === Phase.Closed || this.#phase === Phase.Tunnel) return;
    this.#phase = Phase.Closed;
    this.socket.close();
    this.#release();
    this.parts.onClose(this, cause);
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    if (this.#phase === Phase.Tunnel) {
      if (this.socket.closed) this.parts.onClose(this, "tunnel");
      return;
    }
    const { sender, socket: { queuedBytes } } = this;
    if (this.#phase === Phase.Closing && queuedBytes > 0) this.deadlines.awaitClose(LINGER_MS);
    switch (this.deadlines.overdue(nowMs, queuedBytes + sender.fileBytes, sender.writtenBytes - queuedBytes)) {
      case undefined:
        if (this.#phase === Phase.Exchange) this.#look(nowMs);
        return;
      case "write":
        // A reset: the system would keep what is queued for a client that takes nothing.
        this.socket.reset();
        return this.close("write_timeout");
      case "idle":
        // The time for the next request begins when the last response is taken.
        if (queuedBytes > 0) return this.deadlines.awaitRequest(!this.used);
        return this.close(this.used ? "idle_timeout" : "header_timeout");
      case "head":
        this.#cause = "header_timeout";
        return this.refuse(new Refusal(408, "The head did not arrive in time"));
      case "body":
        this.deadlines.end();
        this.#cause = "body_timeout";
        if (this.#phase !== Phase.Exchange) return this.#finish();
        this.closing = true;
        return this.#body?.fail(new TransportFailure("client_timeout", "The client's body did not arrive in time"));
      case "close":
        return this.close(this.#cause);
    }
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    try {
      this.#received(bytes, start, end);
    } catch (error) {
      this.#broke(error);
    }
  }

  #received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (this.#phase === Phase.Head && this.#reader.heldBytes === 0) {
      const behind = this.#reader.read(bytes, start, end);
      if (behind < end) this.#hold(bytes, behind, end);
      return this.#settle();
    }
    let at = start;
    if (this.#body !== null && this.#body.incomplete) {
      at = this.#body.received(bytes, start, end);
      if (this.#phase === Phase.Discard) this.#discarded(this.#body);
    }
    if (at < end) this.#hold(bytes, at, end);
    this.#readOn();
  }

  drained(): void {
    if (this.#phase === Phase.Exchange) return this.sender.drained();
    if (this.#phase === Phase.Backlog) this.#phase = Phase.Head;
    this.#readOn();
  }

  ended(): void {
    const { nowMs } = this.parts.clock;
    this.#halfClosed.end(nowMs);
    if (this.#phase === Phase.Backlog) return;
    const incomplete = this.#body !== null && this.#body.incomplete;
    if (this.#phase === Phase.Exchange) {
      if (this.#halfClosed.hasLeft(nowMs) || (incomplete && this.#client?.responding)) return this.close("client");
      if (!incomplete) return;
    }
    this.#finish("client");
  }

  failed(): void {
    this.close("client");
  }

  requestComplete(): void {
    this.#halfClosed.requestComplete(this.parts.clock.nowMs);
  }

  responded(response: HttpResponse): void {
    if (response === LATER) return;
    const client = this.#client;
    if (!this.#awaited || client === undefined) return drop(response);
    this.#awaited = false;
    try {
      client.respond(response);
    } catch (error) {
      this.#broke(error);
    }
  }

  responseSent(whole: boolean): void {
    if (this.#phase !== Phase.Exchange) return;
    const body = this.#body;
    this.#client = undefined;
    if (!whole) return this.#finish("broken_response");
    if (this.closing) return this.#finish();
    if (body !== null && body.incomplete) {
      if (!body.discard(MAX_DISCARDED_BYTES)) return this.#finish();
      this.#phase = Phase.Discard;
      this.deadlines.awaitBody();
      return this.resume();
    }
    this.#phase = this.socket.queuedBytes > MAX_BACKLOG_BYTES ? Phase.Backlog : Phase.Head;
    this.#readOn();
  }

  get halfClosed(): boolean {
    return this.#halfClosed.ended;
  }

  refuse(refusal: Refusal, known?: RequestHead): void {
    // The response to a refusal could not be sent either.
    if (this.#refusing) return this.#finish();
    const { responder, scheme } = this.parts;
    const head = known ?? this.#reader.refused(this.peer, scheme);
    this.#reader.clear();
    this.deadlines.end();
    this.#refusing = true;
    this.closing = true;
    this.#awaited = false;
    if (this.#cause === "served") this.#cause = "refused";
    this.#phase = Phase.Exchange;
    this.#body = null;
    const client = this.#client = new RequestClient({ ...REFUSED, head }, this);
    client.respond(responder.refuse(head, client, refusal));
  }

  handOver(): Uint8Array<ArrayBuffer> {
    const { window } = this.#reader;
    const early = window === undefined ? NOTHING : window.bytes.slice(window.start, window.end);
    this.#release();
    this.deadlines.end();
    this.resume();
    this.#phase = Phase.Tunnel;
    return early;
  }

  pause(): void {
    // Once it is closing, what arrives is read past.
    if (this.#paused || this.#phase === Phase.Closing) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** Reads the requests that are held, if it is their turn. */
  #readOn(): void {
    if (this.#phase === Phase.Head && this.#reader.readHeld()) this.#settle();
  }

  begin(head: Head, bytes: Uint8Array<ArrayBuffer>, at: number, end: number): number {
    const { clock, limits, responder } = this.parts;
    const parsed = readRequest(head, this.peer, this.parts);
    if (parsed instanceof Refusal) {
      this.refuse(parsed);
      return end;
    }
    const client = new RequestClient(parsed, this);
    let behind = at;
    let body: IncomingBody | null = null;
    this.deadlines.begin();
    this.#halfClosed.requestComplete(clock.nowMs);
    if (parsed.bodyKind !== "none") {
      client.body = body = new IncomingBody(parsed, client);
      behind = body.begin(bytes, at, end);
      if (body.fault !== "") {
        this.refuse(new Refusal(400, body.fault));
        return end;
      }
      // Its rest will not come: the client ended its side while the request was held.
      if (body.incomplete && this.#halfClosed.ended) {
        this.#finish("client");
        return end;
      }
    }
    this.#reader.done();
    if (++this.#requests === limits.max_requests) this.closing = true;
    this.#body = body;
    this.#client = client;
    this.#phase = Phase.Exchange;
    this.#awaited = true;
    const made = responder.respond(parsed.head, client);
    if (made instanceof Promise) this.#awaitResponse(made);
    else this.responded(made);
    if (this.#phase === Phase.Exchange) body?.keepEarly();
    return behind;
  }

  // A closure here, not in `begin`, or each request would have the context of one; nor one for each connection, whose memory
  // full collections alone would free.
  #awaitResponse(made: Promise<HttpResponse>): void {
    made.then((response) => this.responded(response));
  }

  /** Holds bytes until it is their turn. */
  #hold(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    // Handed over within the call that read them.
    if (this.#phase === Phase.Tunnel) return this.socket.handler.received(bytes, start, end);
    if (this.#phase === Phase.Closing || this.#phase === Phase.Closed) return;
    this.#reader.hold(bytes, start, end);
    if (this.#phase !== Phase.Head && this.#reader.heldBytes >= MAX_HELD_BYTES) this.pause();
  }

  /** Awaits the next request, or the rest of its head. */
  #settle(): void {
    if (this.#phase !== Phase.Head) return;
    if (this.#halfClosed.ended) return this.#finish("client");
    if (this.#reader.begun) this.deadlines.awaitHead();
    else if (this.#draining && this.socket.queuedBytes === 0) return this.close("shutdown");
    else this.deadlines.awaitRequest(!this.used);
    this.resume();
  }

  /** Looks whether the client is still there. */
  #look(nowMs: number): void {
    const client = this.#client;
    if (this.#paused && client?.responding === false) {
      if (this.#halfClosed.pausedLookDue(nowMs, this.socket)) client.probe();
    } else if (this.#halfClosed.lookDue(nowMs) && client?.probe() === false) this.close("client");
  }

  /** Goes on after a part of a body that is read past. */
  #discarded(body: IncomingBody): void {
    if (body.undiscardable) this.#finish();
    else if (body.incomplete) this.deadlines.awaitBody();
    else this.#phase = Phase.Head;
  }

  /** A fault in BWS: the client gets 500 if it can, and the log the cause. */
  #broke(error: unknown): void {
    if (this.#phase === Phase.Tunnel) return this.socket.close();
    if (this.#phase !== Phase.Head && this.#client?.responding !== false) return this.close("broken_response");
    this.refuse(internalError(error), this.#client?.request.head);
  }

  /** Ends the connection behind what was written. */
  #finish(cause: CloseCause = this.#cause): void {
    this.#cause = cause;
    const broken = cause === "broken_response";
    const unread = this.#refusing || this.#body?.incomplete === true || this.#reader.heldBytes > 0;
    const linger = unread && !broken && !this.#halfClosed.ended;
    if (!linger && !broken && this.socket.queuedBytes === 0) return this.close(this.#cause);
    this.#phase = Phase.Closing;
    this.#release();
    this.deadlines.awaitClose(LINGER_MS);
    const reset = broken && this.sender.framing === "close";
    new LastBytes(this, { cause: this.#cause, linger, reset }).begin();
  }

  /** Lets go of the request. An exchange that is under way ends. */
  #release(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#reader.clear();
    this.sender.abandon("The client left");
    if (this.#phase !== Phase.Exchange) client?.leave();
  }
}

/** A client whose last request is so long ago is not expected to send another one just now. */
const BUSY_MS = 1000;
/** Bytes behind the current request that are held before reading pauses. */
const MAX_HELD_BYTES = 64 * 1024;
/** Bytes of responses that may wait to be taken while the next request is responded to. */
const MAX_BACKLOG_BYTES = 64 * 1024;
const REFUSED = { minorVersion: 1, persistent: false, expectsContinue: false, takesTrailers: false };
const NOTHING = new Uint8Array(0);
