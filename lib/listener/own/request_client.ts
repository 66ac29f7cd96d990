/**
 * One request of a connection: its client, as its exchange uses it, and the response to it.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { HttpResponse, Peer, RequestHead, Upgrade } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { TlsSession } from "../../sockets/tls_session.ts";
import { lastObjects } from "../../state/last_objects.ts";
import type { ClientDeadlines } from "./client_deadlines.ts";
import type { BodyHost, IncomingBody } from "./incoming_body.ts";
import type { CloseCause } from "./close_cause.ts";
import { MAX_DISCARDED_BYTES } from "./limits_schema.ts";
import type { ListenerParts } from "./listener_parts.ts";
import { interimHead, upgradeHead } from "./outgoing_head.ts";
import type { ParsedRequest } from "./parsed_request.ts";
import type { ResponseSender } from "./response_sender.ts";

/** The connection of a request. */
export interface RequestConnection {
  readonly parts: ListenerParts;
  readonly socket: Socket;
  readonly sender: ResponseSender;
  readonly deadlines: ClientDeadlines;
  /** Whether it ends with the current response. */
  closing: boolean;
  pause(): void;
  resume(): void;
  /** The body of the request is complete. */
  requestComplete(): void;
  /** Whether the client sends nothing more. */
  readonly halfClosed: boolean;
  /**
   * Responds to the current request with a refusal.
   *
   * @param head Its head, where that was read.
   */
  refuse(refusal: Refusal, head?: RequestHead): void;
  /** Sends the response to the current request, if that is awaited. */
  responded(response: HttpResponse): void;
  /** Ends all use of the socket, whose next handler gets what is returned. */
  handOver(): Uint8Array<ArrayBuffer>;
  close(cause: CloseCause): void;
}

/** The part of a request that its response depends on. */
export type RespondedRequest = Omit<ParsedRequest, "bodyKind" | "contentLength">;

/** A request, until its response is sent. Owned by its connection. */
export class RequestClient implements ClientSide, BodyHost {
  readonly request: RespondedRequest;
  /** Set once, right after the request was made. */
  body: IncomingBody | null = null;
  readonly #connection: RequestConnection;
  /** Whether the client waits for 100 (Continue). */
  #awaitsContinue: boolean;
  /** Whether the head of the final response was written. */
  responding = false;
  #abort: AbortController | undefined;
  #gone = false;

  constructor(request: RespondedRequest, connection: RequestConnection) {
    this.request = request;
    this.#connection = connection;
    this.#awaitsContinue = request.expectsContinue;
  }

  /** Aborted when the client leaves. Created on demand: most exchanges do not use it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      lastObjects.abort = this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get tunnels(): boolean {
    return true;
  }

  get local(): Peer {
    return this.#connection.parts.local;
  }

  get tls(): TlsSession | undefined {
    return this.#connection.socket.tls;
  }

  get takesPassed(): boolean {
    return true;
  }

  inform(status: number, lines: readonly string[], reason?: string): void {
    if (this.#gone || this.responding || this.request.minorVersion === 0 || status === 101) return;
    if (status === 100 && !this.#awaitsContinue) return;
    if (status === 100) this.#awaitsContinue = false;
    this.#connection.sender.sendText(interimHead(status, lines, reason));
  }

  bodyWanted(): void {
    const { deadlines, sender } = this.#connection;
    this.#connection.resume();
    deadlines.awaitBody();
    if (!this.#awaitsContinue || this.responding) return;
    this.#awaitsContinue = false;
    sender.sendText(CONTINUE);
  }

  bodyArrived(bytes: number): void {
    this.#awaitsContinue = false;
    this.#connection.deadlines.endBody(bytes);
  }

  allowSlowBody(): void {
    this.#connection.deadlines.allowSlowBody();
  }

  bodyPaused(): void {
    this.#connection.deadlines.end();
    this.#connection.pause();
  }

  bodyComplete(): void {
    this.#connection.deadlines.end();
    this.#connection.requestComplete();
    // From now on a read tells whether the client is still there.
    this.#connection.resume();
  }

  respondLate(response: HttpResponse): void {
    this.#connection.responded(response);
  }

  /** Sends the response. */
  respond(made: HttpResponse): void {
    if (made.upgrade !== undefined) return this.#upgrade(made, made.upgrade);
    if (made.dropped === true) return this.#connection.close("refused");
    const { body, request } = this;
    const connection = this.#connection;
    const { parts: { head, waitingHeads }, sender } = connection;
    let response = made;
    if (made.status === 499) {
      // What the exchange takes for a client that left may be one that cannot frame its body.
      if (body === null || body.fault === "") {
        drop(made);
        return connection.close("client");
      }
      response = { ...made, status: 400 };
    }
    // A client that still waits for 100 (Continue) may send its body or not: nothing could be found behind it.
    const unframed = body !== null && body.incomplete && (this.#awaitsContinue || body.fault !== "");
    // A response that is here already ends the exchange: a rest of the body that is, or may be, so large is not read past.
    const unread = body !== null && (response.body === null || response.body instanceof Uint8Array) &&
      (body.remaining > MAX_DISCARDED_BYTES || body.endless);
    try {
      head.compose(response, request, connection.closing || unframed || unread || !request.persistent);
    } catch (error) {
      drop(made);
      return connection.refuse(internalError(error), request.head);
    }
    connection.closing = head.closing;
    this.responding = true;
    sender.send(head, response, request.takesTrailers);
    if (sender.headWaits) waitingHeads.add(sender);
  }

  /** The client has left. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.body?.incomplete) this.body.fail(new TransportFailure("client_left", "The client left within its body"));
    this.#abort?.abort();
  }

  /**
   * Writes something that means nothing to a client that is there, and fails for one that has left.
   *
   * @returns Whether the client may still be there: false where nothing could be written.
   */
  probe(): boolean {
    const { sender } = this.#connection;
    if (this.responding) return sender.probe();
    // HTTP/1.0 knows no interim responses (RFC 9110, section 15.2).
    if (this.request.minorVersion === 1) sender.sendText(CONTINUE);
    return true;
  }

  #upgrade(response: HttpResponse, upgrade: Upgrade): void {
    if (upgrade.tunnel === undefined) return this.respond(upgrade.fail("the upgrade takes no connection as bytes"));
    if (this.body?.incomplete) return this.respond(upgrade.fail("the request has a body"));
    let text: string;
    try {
      text = upgradeHead(response);
    } catch (error) {
      drop(upgrade.fail("the head of the response is malformed"));
      return this.#connection.refuse(internalError(error), this.request.head);
    }
    const early = this.#connection.handOver();
    this.#connection.sender.sendText(text);
    const { socket, halfClosed } = this.#connection;
    upgrade.tunnel(socket, early);
    if (halfClosed && !socket.closed) socket.handler.ended();
  }
}

/** Releases a response that nobody gets. */
export function drop({ body, upgrade }: HttpResponse): void {
  if (upgrade !== undefined) return drop(upgrade.fail("the client has left"));
  if (body !== null && !(body instanceof Uint8Array)) body.cancel("The client left");
}

/** The refusal of a request by a fault in BWS. */
export function internalError(error: unknown): Refusal {
  return new Refusal(500, `Internal error: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
