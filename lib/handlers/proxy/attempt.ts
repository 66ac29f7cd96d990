/**
 * One attempt at one upstream: a connection is taken, the request goes out, the response comes back. The attempt owns its
 * connection and its place in the in-flight count until the last byte of the response's body is delivered, lost or no
 * longer wanted, and then gives both back, once.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import { sendableStatus } from "../../http/sendable_status.ts";
import type { Connection, ConnectionUser } from "../../upstream/connection/connection.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { AttemptSpan } from "../../telemetry/attempt_span.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Slot } from "../../upstream/upstream.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { ConnectionPool } from "../../upstream/connection/connection_pool.ts";
import type { ConnectionWait } from "../../upstream/connection/connection_wait.ts";
import type { SilenceLimits } from "../../upstream/connection/deadlines.ts";
import type { Contender } from "../../upstream/dial_race.ts";
import { RetryableResponse } from "./retryable_response.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { RequestBody } from "./request_body.ts";
import { type ResponseOwner, ResponseSource } from "./response_source.ts";
import type { UpstreamRequest } from "./upstream_request.ts";
import type { UpstreamUpgrade } from "./upstream_upgrade.ts";

/** Says whether a response is not passed on, because another attempt will be made. */
export type ShouldRetry = (head: ResponseHead, upstream: Upstream) => boolean;

/** How long an attempt may take. */
export interface AttemptLimits extends SilenceLimits {
  /** Longest time for look-up, TCP and TLS handshake together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Whether the upstream may be silent, and take long, without a failure of its own. */
  readonly streaming: boolean;
}

/** One attempt at one upstream. */
export class Attempt implements Contender, ConnectionUser, ResponseOwner {
  /** Whether the connection had served before, so that the upstream may have closed it without a word. */
  reused = false;
  /** Its span, which it ends; undefined where it is not traced. */
  span: AttemptSpan | undefined;
  readonly #connections: ConnectionPool;
  readonly #request: UpstreamRequest;
  readonly #exchange: Exchange;
  readonly #body: RequestBody | undefined;
  readonly #slot: Slot;
  readonly #limits: AttemptLimits;
  /** Whether only a new connection will do. */
  readonly #fresh: boolean;
  #connection: Connection | undefined;
  #wait: ConnectionWait | undefined;
  #overtaken = false;
  /** Whether the response is a stream of events, passed on piece by piece. */
  #eventStream = false;
  #startMs: number;
  #begun = false;
  /** Whether the whole request was sent, and what remains is a connection that can be used again. */
  #sent = false;
  #settled = false;
  #signal: AbortSignal | undefined;
  #sendFailure: TransportFailure | undefined;
  /** The response's body, where it is passed on piece by piece. */
  #source: ResponseSource | undefined;

  /** Takes over `slot`: releases it when the attempt is over. `fresh` says that only a new connection will do. */
  constructor(slot: Slot, request: UpstreamRequest, fresh: boolean) {
    const { exchange, body } = request;
    this.#connections = slot.upstream.connections;
    this.#request = request;
    this.#exchange = exchange;
    this.#body = body;
    this.#slot = slot;
    this.#limits = request.plan.limits;
    this.#fresh = fresh || request.upgrade !== undefined;
    // The first attempt begins with the exchange, unless a body was waited for.
    this.#startMs = exchange.attempts === 1 && body === undefined ? exchange.startMs : performance.now();
  }

  /** Whether it has given back what it held. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Its upstream. */
  get upstream(): Upstream {
    return this.#slot.upstream;
  }

  /** Takes a connection that idles. Whether there is one. */
  takeKept(): boolean {
    if (this.#fresh) return false;
    this.#connection = this.#connections.take();
    return this.reused = this.#connection !== undefined;
  }

  /**
   * Gets a connection, a new one where none idles. What is thrown must be told to {@linkcode failed}.
   *
   * @throws {TransportFailure} When there is none, or the client left.
   */
  async connect(onDialling?: () => void): Promise<void> {
    if (this.takeKept()) return;
    let dialled = false;
    const wait = this.#wait = this.#connections.obtain({
      fresh: this.#fresh,
      timeoutMs: this.#limits.connectTimeoutMs,
      onDialling: () => {
        // Its time begins when it is asked for: what it waited for its turn says nothing of the upstream.
        dialled = this.#wait !== undefined;
        if (dialled) this.#startMs = performance.now();
        onDialling?.();
      },
      // A client that leaves first must not hide that an upstream is silent.
      onLateFailure: (failure) => this.#slot.failed(failure, false),
    });
    const { signal } = this.#exchange.client;
    this.#signal = signal;
    signal.addEventListener("abort", this.#clientLeft);
    if (signal.aborted) wait.leave();
    try {
      const connection = await wait.result;
      this.#wait = undefined;
      if (this.#overtaken) return this.#letGo(connection);
      this.#connection = connection;
      this.reused = connection.exchanges > 0;
      if (this.reused && !dialled) this.#startMs = performance.now();
    } finally {
      this.#wait = undefined;
    }
  }

  /** Another attempt has a connection: this one goes on to find out whether its upstream can be reached. */
  overtaken(): void {
    this.#overtaken = true;
    this.#signal?.removeEventListener("abort", this.#clientLeft);
    const connection = this.#connection;
    // Two dials that end in one turn of the event loop: both have a connection before the race is decided.
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#letGo(connection);
  }

  /**
   * Sends the request and gives the head of the response. What is thrown must be told to {@linkcode failed}.
   *
   * @param text The request's head as text.
   * @throws {TransportFailure} When there is none.
   */
  send(text: string): Promise<ResponseHead> {
    const connection = this.#connection as Connection;
    connection.begin(this, this.#limits);
    if (this.#request.upgrade !== undefined) return this.#sendUpgrade(connection, text);
    const body = this.#body;
    if (body === undefined) {
      // Most exchanges: nothing to wait for but the response.
      this.#sent = true;
      return connection.ask(text, this.#exchange.head.method);
    }
    connection.deadlines.uploading = true;
    const begun = body.begun();
    return begun === undefined
      ? this.#sendBody(connection, text, body)
      : begun.then(() => this.#sendBody(connection, text, body));
  }

  /**
   * The response that begins with `head`; its body may still be on its way. What is thrown must be told to
   * {@linkcode failed}.
   *
   * @throws {TransportFailure} When it cannot be passed on.
   * @throws {RetryableResponse} When `shouldRetry` says so.
   */
  respond(head: ResponseHead, shouldRetry: ShouldRetry | undefined): HttpResponse {
    const { upgrade } = this.#request;
    const switched = head.status === 101;
    if (switched) checkSwitch(head, upgrade);
    const nowMs = sharedTime.take();
    const tookMs = nowMs - this.#startMs;
    this.#exchange.upstreamMs = tookMs;
    this.#slot.answered(head.status, tookMs, this.#limits.streaming);
    this.span?.responded(head.status);
    if (switched) return this.#handOver(head, upgrade as UpstreamUpgrade);
    if (shouldRetry?.(head, this.#slot.upstream)) throw new RetryableResponse(head);
    return this.#passOn(head, nowMs);
  }

  /**
   * Ends an attempt that gives no response. The request's body is left to the caller: to be sent again, or to be let go.
   *
   * @param error What was thrown.
   * @returns Why it failed.
   */
  failed(error: unknown): unknown {
    this.#settle(true);
    // Nothing was sent: the next connection must get all of it, however large.
    if (error instanceof TransportFailure && error.kind === "closed_unused") this.#body?.rewind();
    // When the request's body broke off, that is why the upstream was left without a request to answer. A cut for the
    // client's slowness breaks the body off too, and is then the first cause.
    const slow = error instanceof TransportFailure && error.owner === "client";
    const broken = this.#sendFailure !== undefined && this.#sendFailure.owner !== "upstream";
    const failure = broken && !slow ? this.#sendFailure : error;
    if (failure instanceof TransportFailure) {
      if (!this.#maySilence(failure)) this.#slot.failed(failure, this.reused);
      this.span?.failed(failure);
    }
    this.span?.end();
    return failure;
  }

  /** Looks whether the client is still there; not before the first tick, since most exchanges are over by then. */
  onTick(): void {
    this.#body?.flushHead();
    if (this.#signal !== undefined) return;
    this.#signal = this.#exchange.client.signal;
    this.#signal.addEventListener("abort", this.#clientLeft);
    if (this.#signal.aborted) this.#clientLeft();
  }

  /** The connection was cut: what waits for the client must wait no longer. */
  onAborted(failure: TransportFailure): void {
    this.#body?.interrupt();
    this.#source?.lose(failure);
  }

  /** The body was handed over to its last byte. */
  bodyEnded(): void {
    this.#settle();
  }

  /** The body broke off. */
  bodyLost(failure: TransportFailure): void {
    if (!this.#maySilence(failure)) this.#slot.failed(failure, this.reused);
    this.span?.lost(failure);
    this.#settle();
  }

  /** The client wants no more of the body. */
  bodyCancelled(): void {
    this.span?.failed(CLIENT_LEFT);
    this.#connection?.close();
    this.#settle();
  }

  // The write is waited for: none may be under way when the wire is handed over. Whatever the response is, the connection
  // serves nobody else afterwards: some servers switch all the same.
  async #sendUpgrade(connection: Connection, text: string): Promise<ResponseHead> {
    await connection.sendHead(text);
    return connection.readHead(this.#exchange.head.method);
  }

  #sendBody(connection: Connection, text: string, body: RequestBody): Promise<ResponseHead> {
    const whole = body.takeWhole();
    if (whole === undefined) return this.#sendSlowly(connection, text, body);
    this.#begun = this.#sent = true;
    return connection.ask(text, this.#exchange.head.method, whole);
  }

  async #sendSlowly(connection: Connection, text: string, body: RequestBody): Promise<ResponseHead> {
    const whole = await body.sendHead(connection, text);
    this.#begun = true;
    if (whole) {
      this.#sent = true;
      connection.deadlines.uploaded();
    } else {
      // Slow clients would otherwise keep a recovering upstream out of use.
      this.#slot.endTrial();
      // Not awaited: the upstream may answer before it has the whole body.
      this.#sendRest(connection, body);
    }
    return connection.readHead(this.#exchange.head.method);
  }

  async #sendRest(connection: Connection, body: RequestBody): Promise<void> {
    try {
      this.#sent = await body.sendRest(connection);
    } catch (error) {
      if (this.#settled) return;
      this.#sendFailure = error as TransportFailure;
      // Whatever the upstream has of this request must not look complete, so the connection goes. When it is the
      // upstream that takes no more, it may still have a response (413, 401) that says why.
      if (this.#sendFailure.owner !== "upstream") connection.abort(this.#sendFailure);
    }
    connection.deadlines.uploaded();
  }

  // Place and span go with the connection.
  #handOver(head: ResponseHead, upgrade: UpstreamUpgrade): HttpResponse {
    const slot = this.#slot;
    const { span } = this;
    const connection = this.#connection as Connection;
    const lines = this.#linesOf(head);
    const release = () => {
      slot.release();
      span?.end();
    };
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this.#clientLeft);
    this.#exchange.fromUpstream = true;
    const { early } = connection;
    return upgrade.accept(head, lines, { wire: connection.detach(), early, upstream: slot.upstream.id, release });
  }

  #passOn(head: ResponseHead, nowMs: number): HttpResponse {
    const exchange = this.#exchange;
    const connection = this.#connection as Connection;
    const status = sendableStatus(head.status);
    exchange.fromUpstream = true;
    if (status !== head.status) exchange.failed(`The upstream answered with the status ${head.status}`, "upstream");
    const lines = this.#linesOf(head);
    let body = connection.wholeBody();
    if (body === undefined && head.status === 205) {
      // RFC 9110, section 15.3.6: it has no content, so nobody would ever read this one to its end.
      connection.close();
      body = null;
    }
    if (body !== undefined) {
      exchange.respondedMs = nowMs;
      this.#settle();
      return { status, headers: lines, body };
    }
    this.#eventStream = isEventStream(head);
    exchange.lasting = this.#limits.streaming || this.#eventStream;
    this.#source = new ResponseSource(this, connection);
    return { status, headers: lines, body: this.#source };
  }

  #linesOf(head: ResponseHead): HeaderLines {
    const { responseHeaders, redirects } = this.#request.plan;
    return responseHeaders.build(head, redirects?.of(this.#slot.upstream.endpoint), this.#exchange.head.authority);
  }

  // Another attempt was first: what this one got serves the next exchange.
  #letGo(connection: Connection): void {
    this.#connections.keep(connection);
    this.#settle(true);
    this.span?.end();
  }

  readonly #clientLeft = (): void => {
    if (this.#settled) return;
    this.#wait?.leave();
    this.#connection?.abort(new TransportFailure("client_left", "The client left before it had the answer"));
  };

  // Events may be rare, and a long poll may end without any.
  #maySilence(failure: TransportFailure): boolean {
    if (failure.kind !== "read_timeout") return false;
    return this.#limits.streaming || this.#eventStream;
  }

  #settle(keepsBody = false): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this.#clientLeft);
    if (this.#connection !== undefined) this.#connections.release(this.#connection, this.#sent);
    if (this.#begun && !this.#sent && !keepsBody) this.#body?.cancel();
    this.#slot.release();
    // One that failed before its response has more to tell first.
    if (!keepsBody) this.span?.end();
  }
}

function checkSwitch(head: ResponseHead, upgrade: UpstreamUpgrade | undefined): void {
  if (upgrade !== undefined) return upgrade.check(head);
  throw new TransportFailure("malformed", "The upstream switched protocols, which it was not asked to");
}

function isEventStream({ headers }: ResponseHead): boolean {
  return /^text\/event-stream\b/i.test(headerValue(headers, "content-type") ?? "");
}

const CLIENT_LEFT = { kind: "client_left", message: "", owner: "client" } as const;
