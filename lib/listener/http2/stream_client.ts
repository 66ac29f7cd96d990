/**
 * One request of a connection of HTTP/2: its client, as its exchange uses it, and the response to it.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { type HttpResponse, LATER, type Peer, type RequestHead, type Upgrade } from "../../http/message.ts";
import type { Refusal } from "../../http/refusal.ts";
import { ErrorCode } from "../../http2/error_code.ts";
import type { FieldBlock } from "../../http2/field_block.ts";
import type { Http2Stream, ResetCause, StreamHandler } from "../../http2/stream.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { TlsSession } from "../../sockets/tls_session.ts";
import { ClientDeadlines } from "../own/client_deadlines.ts";
import type { ListenerParts } from "../own/listener_parts.ts";
import { drop, internalError } from "../own/request_client.ts";
import type { ReadRequest } from "./request_head.ts";
import { addFields, addLines, followingBody, sendable } from "./response_head.ts";
import { type BodyHost, StreamBody } from "./stream_body.ts";
import { StreamSender } from "./stream_sender.ts";
import { StreamSocket } from "../../http2/stream_socket.ts";

/** The connection of a request. */
export interface StreamConnection {
  readonly parts: ListenerParts;
  readonly socket: Socket;
  /** A client let its stream wait until its time was over. May end the connection. */
  stalled(client: StreamClient): void;
  /** The stream becomes a tunnel. */
  becomeTunnel(stream: Http2Stream): void;
}

/** A request, until its stream has closed. Owned by its connection. */
export class StreamClient implements ClientSide, StreamHandler, BodyHost {
  readonly body: StreamBody | null;
  readonly stream: Http2Stream;
  readonly #connection: StreamConnection;
  readonly #head: RequestHead;
  readonly #takesTrailers: boolean;
  readonly #webSocket: boolean;
  #awaitsContinue: boolean;
  /** Whether the head of the final response was sent. */
  #responding = false;
  #refusing = false;
  #gone = false;
  #sender: StreamSender | undefined;
  #deadlines: ClientDeadlines | undefined;
  #abort: AbortController | undefined;
  /** Data of a WebSocket that arrived before it was accepted. */
  #early: StreamSocket | undefined;

  /** Takes over the stream of a request. */
  constructor(stream: Http2Stream, connection: StreamConnection, request: ReadRequest) {
    this.stream = stream;
    this.#connection = connection;
    this.#head = request.head;
    this.#takesTrailers = request.takesTrailers;
    this.#webSocket = request.webSocket;
    this.#awaitsContinue = request.expectsContinue;
    this.body = stream.remoteEnded || request.webSocket ? null : new StreamBody(stream, this);
    if (request.webSocket) this.#early = new StreamSocket(stream, connection.socket);
    stream.handler = this;
  }

  /** Aborted when the client leaves. Created on demand: most exchanges do not use it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get tunnels(): boolean {
    return true;
  }

  get tls(): TlsSession | undefined {
    return this.#connection.socket.tls;
  }

  get local(): Peer {
    return this.#connection.parts.local;
  }

  inform(status: number, lines: readonly string[]): void {
    if (this.#gone || this.#responding || status === 101 || !sendable(lines)) return;
    if (status === 100 && !this.#awaitsContinue) return;
    if (status === 100) this.#awaitsContinue = false;
    const encoder = this.stream.beginHeaders();
    if (encoder === undefined) return;
    encoder.field(":status", String(status));
    addLines(encoder, lines);
    this.stream.sendHeaders(false);
  }

  respondLate(response: HttpResponse): void {
    this.respond(response);
  }

  bodyWanted(): void {
    this.#timed.awaitBody();
    if (this.#awaitsContinue) this.inform(100, []);
  }

  bodyArrived(bytes: number): void {
    this.#awaitsContinue = false;
    this.#deadlines?.endBody(bytes);
  }

  allowSlowBody(): void {
    this.#timed.allowSlowBody();
  }

  headers(block: FieldBlock): void {
    if (this.#webSocket) return this.leave("The client sends fields within a tunnel");
    try {
      this.body?.receivedTrailers(block.lines);
    } catch (error) {
      this.broke(error);
    }
  }

  data(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void {
    try {
      if (this.#early !== undefined) this.#early.input.data(bytes, start, end, ended);
      else this.body?.received(bytes, start, end, ended);
    } catch (error) {
      this.broke(error);
    }
  }

  drained(): void {
    try {
      this.#sender?.drained();
    } catch (error) {
      this.broke(error);
    }
  }

  reset(_code: number, _cause: ResetCause, message: string): void {
    this.#leave(message);
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    const { stream } = this;
    const deadlines = this.#deadlines;
    if (deadlines === undefined) {
      if (stream.sending) this.#timed.overdue(nowMs, 0, stream.sentBytes);
      return;
    }
    // What waits for the socket, or for the window of the connection, is the connection's to judge.
    const waiting = stream.sending && stream.sendWindow <= 0 ? Math.max(1, stream.queuedBytes) : 0;
    const overdue = deadlines.overdue(nowMs, waiting, stream.sentBytes);
    if (overdue === "body") {
      deadlines.end();
      this.body?.fail(new TransportFailure("client_timeout", "The client's body did not arrive in time"));
    } else if (overdue === "write") this.#connection.stalled(this);
  }

  /** Sends the response. */
  respond(response: HttpResponse): void {
    if (response === LATER) return;
    if (this.#gone || this.#responding || this.stream.closed) return drop(response);
    try {
      this.#respond(response);
    } catch (error) {
      this.broke(error);
    }
  }

  /** Responds with a refusal. */
  refuse(refusal: Refusal, malformed: boolean): void {
    if (this.#refusing) return this.stream.reset(ErrorCode.INTERNAL_ERROR);
    this.#refusing = true;
    // The stream of a malformed request ends with an error, after a response (section 8.1.1).
    if (malformed) this.stream.codeAtEnd = ErrorCode.PROTOCOL_ERROR;
    this.respond(this.#connection.parts.responder.refuse(this.#head, this, refusal));
  }

  /** A fault in BWS: the client gets 500 if it can, and the log the cause. */
  broke(error: unknown): void {
    if (this.#responding) this.stream.reset(ErrorCode.INTERNAL_ERROR);
    else this.refuse(internalError(error), false);
  }

  /** The client is not waited for any more. */
  leave(message: string): void {
    this.stream.reset(ErrorCode.CANCEL);
    this.#leave(message);
  }

  get #timed(): ClientDeadlines {
    const { clock, limits } = this.#connection.parts;
    return this.#deadlines ??= new ClientDeadlines(clock, limits);
  }

  #respond(response: HttpResponse): void {
    const { status, headers, body, upgrade } = response;
    if (upgrade !== undefined) return this.#upgrade(response, upgrade);
    if (response.dropped === true) return this.leave("The client gets no response");
    if (status === 499) {
      drop(response);
      return this.leave("The client left");
    }
    // A response of success would mean that the tunnel is open (RFC 8441, section 5).
    if (this.#webSocket && status < 300) {
      drop(response);
      return this.#sendHead(501, NO_WEB_SOCKETS, 0, true);
    }
    if (!sendable(headers)) {
      drop(response);
      throw new TypeError(`Cannot send a response of status ${status}: a header line holds a line break`);
    }
    const { has, length } = followingBody(response, this.#head.method);
    this.#sendHead(status, headers, length, !has);
    if (body instanceof Uint8Array) {
      if (has) this.stream.write(body, response.lent === true ? "lent" : "shared", true);
    } else if (body !== null) {
      if (!has) return body.cancel("The response has no body");
      this.#sender = new StreamSender(this.stream, length, this.#takesTrailers);
      this.#sender.send(body);
    }
  }

  #sendHead(status: number, lines: readonly string[], length: number, last: boolean): void {
    const { stream } = this;
    // Behind the response the client need not send the rest of its body (RFC 9113, section 8.1).
    if (stream.codeAtEnd < 0) stream.codeAtEnd = ErrorCode.NO_ERROR;
    const encoder = stream.beginHeaders();
    if (encoder === undefined) return;
    this.#responding = true;
    addFields(encoder, status, lines, length);
    stream.sendHeaders(last);
  }

  #upgrade(response: HttpResponse, upgrade: Upgrade): void {
    const socket = this.#early;
    if (upgrade.tunnel === undefined || socket === undefined) {
      return this.respond(upgrade.fail("the upgrade takes no connection as bytes"));
    }
    const { headers } = response;
    const encoder = sendable(headers) ? this.stream.beginHeaders() : undefined;
    if (encoder === undefined) return drop(response);
    this.#responding = true;
    encoder.field(":status", "200");
    // The fields of the handshake of HTTP/1.1 have no meaning here (RFC 8441, section 5).
    addLines(encoder, withoutHandshake(headers));
    this.stream.sendHeaders(false);
    const early = socket.take();
    this.stream.handler = socket.input;
    this.#connection.becomeTunnel(this.stream);
    upgrade.tunnel(socket, early);
  }

  #leave(message: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.body?.fail(new TransportFailure("client_left", `The client left within its body: ${message}`));
    this.#sender?.abandon("The client left");
    this.#abort?.abort();
  }
}

function withoutHandshake(lines: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i].toLowerCase();
    if (name !== "sec-websocket-accept" && name !== "sec-websocket-key") kept.push(name, lines[i + 1]);
  }
  return kept;
}

const NO_WEB_SOCKETS: readonly string[] = [];
