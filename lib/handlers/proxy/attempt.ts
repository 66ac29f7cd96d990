/**
 * One attempt at one upstream: it takes a connection, sends the request and reads the response. The attempt owns its
 * connection and its slot until the response's body has been delivered, has broken off or was cancelled by the client,
 * and then releases both, once.
 *
 * @module
 */

import type { HeaderLines, HttpResponse, ResponseBody } from "../../http/message.ts";
import type { ProxiedClient } from "../../http/proxy_protocol.ts";
import { sendableStatus } from "../../http/sendable_status.ts";
import type { AskedHead, ConnectionUser, LentConnection } from "../../upstream/connection/lent_connection.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { AttemptSpan } from "../../telemetry/attempt_span.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Slot, Upstream } from "../../upstream/upstream.ts";
import type { ConnectionPool } from "../../upstream/connection/connection_pool.ts";
import type { ConnectionWait } from "../../upstream/connection/connection_wait.ts";
import type { Contender } from "../../upstream/dial_race.ts";
import type { AttemptListener, ShouldRetry } from "./attempt_listener.ts";
import type { AttemptLimits } from "./attempt_limits.ts";
import { idempotent } from "./retry.ts";
import { RetryableResponse } from "./retryable_response.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { isEventStream } from "./event_stream.ts";
import type { BodySender, BodyWaiter, RequestBody } from "./request_body.ts";
import { passInterim, wantsTrailers } from "./interim_response.ts";
import { proxiedClient } from "./proxied_client.ts";
import { type ResponseOwner, ResponseSource } from "./response_source.ts";
import type { UpstreamRequest } from "./upstream_request.ts";
import { checkSwitch, upgradeHead, type UpstreamUpgrade } from "./upstream_upgrade.ts";

/** One attempt at one upstream. */
export class Attempt implements Contender, ConnectionUser, ResponseOwner, BodyWaiter, BodySender {
  /** Whether the connection was used before, so that the upstream may already have closed it. */
  reused = false;
  readonly sendsBody: boolean;
  readonly upgrades: boolean;
  /** The attempt's span, which it ends; undefined where it is not traced. */
  span: AttemptSpan | undefined;
  readonly #connections: ConnectionPool;
  readonly #request: UpstreamRequest;
  readonly #exchange: Exchange;
  readonly #body: RequestBody | undefined;
  readonly #slot: Slot;
  readonly #limits: AttemptLimits;
  /** Whether a new connection is required. */
  readonly #fresh: boolean;
  /** The client that the upstream is told of at the start of a connection; undefined where it is not. */
  readonly #client: ProxiedClient | undefined;
  #connection: LentConnection | undefined;
  #wait: ConnectionWait | undefined;
  #overtaken = false;
  #eventStream = false;
  #startMs: number;
  #begun = false;
  /** Whether the whole request was sent: the connection can be reused only then. */
  #sent = false;
  #settled = false;
  #signal: AbortSignal | undefined;
  #sendFailure: TransportFailure | undefined;
  /** The head of the request, while its body is awaited. */
  #head: AskedHead = "";
  #shouldRetry: ShouldRetry | undefined;
  #listener: AttemptListener | undefined;

  /** Takes over `slot` and releases it at the end. `fresh` requires a new connection. */
  constructor(slot: Slot, request: UpstreamRequest, fresh: boolean) {
    const { exchange, body } = request;
    this.#connections = slot.upstream.connections;
    this.#request = request;
    this.#exchange = exchange;
    this.#body = body;
    this.sendsBody = body !== undefined;
    this.#slot = slot;
    this.#limits = request.plan.limits;
    this.upgrades = request.upgrade !== undefined;
    this.#fresh = fresh || this.upgrades;
    this.#client = proxiedClient(exchange, slot.upstream.endpoint);
    // The first attempt starts with the exchange, unless it waited for the request's body.
    this.#startMs = exchange.attempts === 1 && !request.bodyAwaited ? exchange.startMs : performance.now();
  }

  /** Whether the connection and the slot are released. */
  get settled(): boolean {
    return this.#settled;
  }

  get upstream(): Upstream {
    return this.#slot.upstream;
  }

  /** Takes an idle connection. Returns whether there was one. */
  takeKept(): boolean {
    if (this.#fresh) return false;
    this.#connection = this.#connections.take(this.#client);
    return this.reused = this.#connection !== undefined;
  }

  /**
   * Gets a connection: an idle one, else a new one. The caller passes what is thrown to {@linkcode failed}.
   *
   * @throws {TransportFailure} When no connection could be opened, or the client left.
   */
  async connect(onDialling?: () => void): Promise<void> {
    if (this.takeKept()) return;
    let dialled = false;
    const wait = this.#wait = this.#connections.obtain({
      fresh: this.#fresh,
      client: this.#client,
      upgrades: this.upgrades,
      timeoutMs: this.#limits.connectTimeoutMs,
      onDialling: () => {
        // The attempt's time starts with the dial: the wait in the dial queue is not the upstream's latency.
        dialled = this.#wait !== undefined;
        if (dialled) this.#startMs = performance.now();
        onDialling?.();
      },
      // A silent upstream counts as failed even if the client left before the dial timed out.
      onLateFailure: (failure) => this.#slot.failed(failure, false),
    });
    const { signal } = this.#exchange.client;
    this.#signal = signal;
    signal.addEventListener("abort", this);
    if (signal.aborted) wait.leave();
    try {
      const connection = await wait.result;
      this.#wait = undefined;
      if (this.#overtaken) return this.#keepUnused(connection);
      this.#connection = connection;
      this.reused = connection.exchanges > 0;
      if (this.reused && !dialled) this.#startMs = performance.now();
    } finally {
      this.#wait = undefined;
    }
  }

  /** Another attempt got a connection first. The dial goes on, to find out whether the upstream can be reached. */
  overtaken(): void {
    this.#overtaken = true;
    this.#signal?.removeEventListener("abort", this);
    const connection = this.#connection;
    // Two dials may end in the same turn of the event loop: both have a connection before the race is decided.
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#keepUnused(connection);
  }

  /**
   * Sends the request. `listener` may be called before this returns.
   *
   * @param head The request's head.
   * @param shouldRetry Whether another attempt replaces the response.
   */
  ask(head: AskedHead, listener: AttemptListener, shouldRetry?: ShouldRetry): void {
    this.#head = head;
    this.#listener = listener;
    this.#shouldRetry = shouldRetry;
    try {
      this.#begin(this.#connection as LentConnection);
    } catch (error) {
      this.onFailed(error);
    }
  }

  get method(): string {
    return this.#exchange.head.method;
  }

  /** Whether the client accepts trailer fields. */
  get acceptsTrailers(): boolean {
    return wantsTrailers(this.#exchange);
  }

  /** An interim response arrived: the client gets it, if its listener can send it. */
  onInterim(head: ResponseHead): void {
    passInterim(this.#exchange, head);
  }

  /** The head of the response arrived. */
  onHead(head: ResponseHead): void {
    let response: HttpResponse;
    try {
      response = this.#respond(head);
    } catch (error) {
      return this.onFailed(error);
    }
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.responded(response);
  }

  /** There will be no response. */
  onFailed(error: unknown): void {
    this.#body?.interrupt();
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.failed(error);
  }

  /** The connection accepts bytes again. */
  onDrained(): void {
    this.#body?.drained();
  }

  /** The first piece of the request's body has arrived, or the head is not to wait for it. */
  bodyBegun(): void {
    if (this.#settled) return;
    try {
      this.#sendBody(this.#connection as LentConnection, this.#body as RequestBody);
    } catch (error) {
      this.onFailed(error);
    }
  }

  get mayResend(): boolean {
    return this.#connection?.mayRefuse === true || idempotent(this.method);
  }

  /** The whole body of the request was written. */
  bodySent(): void {
    this.#sent = true;
    this.#connection?.requestComplete();
  }

  /** The request's body broke off: the upstream must not take a truncated request for a complete one. */
  bodyBroken(failure: TransportFailure): void {
    if (this.#settled) return;
    this.#sendFailure = failure;
    this.#connection?.abort(failure);
  }

  #begin(connection: LentConnection): void {
    connection.begin(this, this.#limits);
    const body = this.#body;
    if (body === undefined) {
      // A connection that is asked for an upgrade is not reused, whatever the status: some servers switch protocols
      // without a 101.
      this.#sent = !this.upgrades;
      return connection.ask(this.#head);
    }
    connection.deadlines.uploading = true;
    body.begin(this);
    if (connection.headFirst) body.flushHead();
  }

  #respond(received: ResponseHead): HttpResponse {
    const { upgrade } = this.#request;
    const head = upgrade === undefined ? received : upgradeHead(received, upgrade, this.#connection as LentConnection);
    const switched = head.status === 101;
    if (switched) checkSwitch(head, upgrade);
    const nowMs = sharedTime.take();
    const tookMs = this.#exchange.upstreamMs = nowMs - this.#startMs;
    this.#slot.responded(head.status, tookMs, this.#limits.streaming);
    this.span?.responded(head.status);
    if (switched) return this.#handOver(head, upgrade as UpstreamUpgrade);
    if (this.#shouldRetry?.(head, this.#slot.upstream)) throw new RetryableResponse(head);
    return this.#passOn(head, nowMs);
  }

  /**
   * Ends an attempt that has no response. The caller sends the request's body again or cancels it.
   *
   * @param error What was thrown.
   * @returns Why it failed.
   */
  failed(error: unknown): unknown {
    this.#settle(true);
    // Nothing was sent: the whole body can be sent on the next connection, however large it is.
    if (error instanceof TransportFailure && error.kind === "closed_unused") this.#body?.rewind();
    // A request body that broke off is the cause: the upstream did not get the whole request. A client timeout also
    // breaks the body off, and is then the cause itself.
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

  /** Checks whether the client has left; not before the first tick, since most exchanges have ended by then. */
  onTick(): void {
    this.#body?.flushHead();
    if (this.#signal !== undefined) return;
    this.#signal = this.#exchange.client.signal;
    this.#signal.addEventListener("abort", this);
    if (this.#signal.aborted) this.handleEvent();
  }

  /** The last piece of the response's body was delivered. */
  bodyEnded(): void {
    this.#settle();
  }

  /** The response's body broke off. */
  bodyLost(failure: TransportFailure): void {
    if (!this.#maySilence(failure)) this.#slot.failed(failure, this.reused);
    this.span?.lost(failure);
    this.#settle();
  }

  /** The client cancelled the response's body. */
  bodyCancelled(): void {
    this.span?.failed(CLIENT_LEFT);
    this.#connection?.close();
    this.#settle();
  }

  #sendBody(connection: LentConnection, body: RequestBody): void {
    this.#begun = true;
    body.sendTo(connection, this.#head, this);
    // Otherwise a slow client would hold the only trial of a recovering upstream.
    if (!this.#sent) this.#slot.endTrial();
  }

  // The slot and the span are held until the connection is released.
  #handOver(head: ResponseHead, upgrade: UpstreamUpgrade): HttpResponse {
    const slot = this.#slot;
    const connection = this.#connection as LentConnection;
    const lines = this.#linesOf(head);
    const release = () => {
      connection.close();
      slot.release();
      this.span?.end();
    };
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this);
    this.#exchange.fromUpstream = true;
    const { early } = connection;
    return upgrade.accept(head, lines, { socket: connection.detach(), early, upstream: slot.upstream.id, release });
  }

  #passOn(head: ResponseHead, nowMs: number): HttpResponse {
    const exchange = this.#exchange;
    const connection = this.#connection as LentConnection;
    const status = sendableStatus(head.status);
    const reason = status === head.status ? head.reason : undefined;
    exchange.fromUpstream = true;
    if (status !== head.status) exchange.failed(`The upstream sent the status ${head.status}`, "upstream");
    const passed = this.#listener?.takesPassed ? this.#request.plan.responseHeaders.pass(head) : undefined;
    const headers = passed === undefined ? this.#linesOf(head) : passed.others;
    let body: ResponseBody | undefined = connection.wholeBody();
    if (head.status === 205) {
      // RFC 9110, section 15.3.6: 205 has no content, so this body would never be read.
      if (body === undefined) connection.close();
      body = null;
    }
    if (body !== undefined) {
      exchange.respondedMs = nowMs;
      this.#settle();
      return { status, headers, body, reason, lent: body !== null, passed };
    }
    this.#eventStream = isEventStream(head);
    exchange.lasting = this.#limits.streaming || this.#eventStream;
    body = new ResponseSource(this, connection.body);
    return { status, headers, body, reason, lent: false, passed };
  }

  #linesOf(head: ResponseHead): HeaderLines {
    const { responseHeaders, redirects } = this.#request.plan;
    return responseHeaders.build(head, redirects?.of(this.#slot.upstream.endpoint), this.#exchange.head.authority);
  }

  // Another attempt got a connection first: this connection is kept for a later exchange.
  #keepUnused(connection: LentConnection): void {
    this.#connections.keep(connection);
    this.#settle(true);
    this.span?.end();
  }

  /** The client left. The attempt itself listens, because a function for each would cost memory. */
  handleEvent(): void {
    if (this.#settled) return;
    this.#wait?.leave();
    this.#connection?.abort(new TransportFailure("client_left", "The client left before it had the response"));
  }

  // An event stream may be silent for long, and a long poll may end without an event.
  #maySilence(failure: TransportFailure): boolean {
    if (failure.kind !== "read_timeout") return false;
    return this.#limits.streaming || this.#eventStream;
  }

  #settle(keepsBody = false): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this);
    if (this.#connection !== undefined) this.#connections.release(this.#connection, this.#sent);
    if (!keepsBody && this.#begun) this.#sent ? this.#body?.settle() : this.#body?.cancel();
    this.#slot.release();
    // The span of an attempt that failed is ended after the failure is recorded.
    if (!keepsBody) this.span?.end();
  }
}
const CLIENT_LEFT = { kind: "client_left", message: "", owner: "client" } as const;
