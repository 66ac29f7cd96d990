/**
 * The own listener without a network: a test says what clients send and when, and what is responded.
 *
 * @module
 */

import type { ClientSide, Exchange } from "../../../lib/exchange/exchange.ts";
import { ExchangeFailure } from "../../../lib/exchange/exchange_failure.ts";
import type { Outcome } from "../../../lib/exchange/exchange_failure.ts";
import type { Responder } from "../../../lib/exchange/responder.ts";
import { type BodySink, type BodySource, keep, type Ownership } from "../../../lib/http/body.ts";
import type { HttpResponse, RequestHead } from "../../../lib/http/message.ts";
import type { Refusal } from "../../../lib/http/refusal.ts";
import { SocketListener, type SocketListenerOptions } from "../../../lib/listener/own/socket_listener.ts";
import type { AcceptHandler, SocketDriver } from "../../../lib/sockets/socket.ts";
import { text } from "../../support/message_reader.ts";
import { ScriptedSocket } from "../../support/scripted_socket.ts";

/** Makes the response to a request. */
export type Respond = (head: RequestHead, client: ClientSide) => HttpResponse | Promise<HttpResponse>;

/** Responds as a test says, and keeps what was refused. */
export class ScriptedResponder implements Responder {
  readonly refused: { head: RequestHead; refusal: Refusal }[] = [];
  readonly #respond: Respond;

  constructor(respond: Respond) {
    this.#respond = respond;
  }

  respond(head: RequestHead, client: ClientSide): HttpResponse | Promise<HttpResponse> {
    return this.#respond(head, client);
  }

  refuse(head: RequestHead, _client: ClientSide, refusal: Refusal): HttpResponse {
    this.refused.push({ head, refusal });
    return responseOf("", refusal.status);
  }

  hold(): Exchange {
    throw new Error("Not expected");
  }

  release(_held: Exchange, outcome: Outcome): HttpResponse {
    return outcome instanceof ExchangeFailure ? responseOf("", outcome.status) : outcome;
  }
}

/** A listener whose clients are sockets of the test. */
export class ScriptedClients implements AsyncDisposable {
  readonly listener: SocketListener;
  readonly responder: ScriptedResponder;
  #handler: AcceptHandler | undefined;
  /** How often accepting was tried again at once. */
  retries = 0;

  constructor(respond: Respond, options: SocketListenerOptions = {}) {
    this.responder = new ScriptedResponder(respond);
    const driver: SocketDriver = {
      name: "runtime",
      scratch: undefined,
      listen: (_target, handler) => {
        this.#handler = handler;
        return { address: "192.0.2.1", port: 80, retry: () => this.retries++, close: () => {} };
      },
      connect: () => {
        throw new Error("Not expected");
      },
    };
    this.listener = new SocketListener({ address: undefined, port: 0, responder: this.responder }, {
      ...options,
      driver,
    });
  }

  /** A client connects. */
  connect(address = "198.51.100.1"): ScriptedSocket {
    const socket = new ScriptedSocket();
    socket.remoteAddress = address;
    this.#handler?.accepted(socket);
    return socket;
  }

  /** A connection cannot be accepted. */
  failToAccept(error: Error): void {
    this.#handler?.failed(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.listener.abort();
    return this.listener.shutdown();
  }
}

/** A response with a whole body. */
export function responseOf(body: string, status = 200): HttpResponse {
  return { status, headers: ["x-a", "b"], body: new TextEncoder().encode(body) };
}

/** A body that a test writes piece by piece. */
export class ScriptedBody implements BodySource {
  /** Number of pieces that were asked for. */
  pulls = 0;
  /** Why it was cancelled; undefined where it was not. */
  cancelled: unknown;
  sink: BodySink | undefined;
  readonly #pieces: [bytes: Uint8Array<ArrayBuffer>, ownership: Ownership][] = [];
  readonly #trailers: readonly string[] | undefined;
  #ends = false;

  /** @param pieces Delivered one for each pull, and then the end; without any, the test delivers. */
  constructor(pieces: readonly string[] = [], trailers?: readonly string[]) {
    for (const piece of pieces) this.#pieces.push([new TextEncoder().encode(piece), "given"]);
    this.#ends = pieces.length > 0;
    this.#trailers = trailers;
  }

  start(sink: BodySink): void {
    this.sink = sink;
  }

  pull(): void {
    this.pulls++;
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.sink?.piece(...piece);
    else if (this.#ends) this.sink?.end(this.#trailers);
  }

  cancel(reason: unknown): void {
    this.cancelled = reason;
  }
}

/** Reads a body of a request, piece by piece or at once. */
export class CollectingSink implements BodySink {
  bytes = "";
  trailers: readonly string[] | undefined;
  whole = false;
  failure: unknown;
  readonly ownerships: Ownership[] = [];
  readonly #source: BodySource;
  readonly #pullsOn: boolean;
  readonly #end: (sink: CollectingSink) => void;

  /** @param pullsOn Whether each piece is followed by a pull. */
  constructor(
    source: BodySource,
    { pullsOn = true, end = () => {} }: { pullsOn?: boolean; end?: (sink: CollectingSink) => void } = {},
  ) {
    this.#source = source;
    this.#pullsOn = pullsOn;
    this.#end = end;
    source.start(this);
    if (pullsOn) source.pull();
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.bytes += text(keep(bytes, ownership));
    this.ownerships.push(ownership);
    if (this.#pullsOn) this.#source.pull();
  }

  end(trailers?: readonly string[]): void {
    this.trailers = trailers;
    this.whole = true;
    this.#end(this);
  }

  fail(reason: unknown): void {
    this.failure = reason;
    this.#end(this);
  }
}
