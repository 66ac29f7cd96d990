/**
 * One exchange with a client: the state of a request and its response that header rules, log, metrics and traces use.
 *
 * @module
 */

import type { BodySource } from "../http/body.ts";
import type { AccessLog } from "./access_log.ts";
import type { Delivery } from "./delivery.ts";
import type { Outcome } from "./exchange_failure.ts";
import type { Pipeline } from "./pipeline.ts";
import { firstMember, type ForwardedClient } from "../http/forwarded_client.ts";
import { lastObjects } from "../state/last_objects.ts";
import { sharedTime } from "../state/shared_time.ts";
import type { TlsSession } from "../sockets/tls_session.ts";
import type { ExchangeSpan } from "../telemetry/exchange_span.ts";
import type { HttpResponse, Peer, RequestHead } from "../http/message.ts";
import type { FailureOwner } from "../failure/failure.ts";
import { givenId, type RequestId } from "../http/request_id.ts";
import { headerValue } from "../http/header_lines.ts";
import type { AccessRecord } from "../log/access_line.ts";

/** The client's side of an exchange. Both members may be costly and are read only when needed. */
export interface ClientSide {
  /** The request's body. The reader must read it to its end or cancel it. */
  readonly body: BodySource | null;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
  /** Whether a connection that is upgraded is handed over as bytes. */
  readonly tunnels?: boolean;
  /** TLS session of the connection; undefined on a cleartext one. */
  readonly tls?: TlsSession;
  /** Where the client connected to, its address empty where that is not known; undefined where nothing is known. */
  readonly local?: Peer;
  /**
   * Sends an interim response (RFC 9110, section 15.2), such as 103; not 101, and 100 only if the client expects it.
   * undefined where the listener cannot.
   *
   * @param lines Its header lines.
   * @param reason Its reason phrase; undefined for the usual one of the status.
   */
  inform?(status: number, lines: readonly string[], reason?: string): void;
  /**
   * Takes the response of a responder that returned `LATER`, once, without a promise. The bytes of its body may be lent.
   * undefined where the listener awaits a promise.
   */
  respondLate?(response: HttpResponse): void;
  /** The body may arrive at any rate: it has no lowest one for the rest of the exchange. undefined where none has. */
  allowSlowBody?(): void;
  /** Whether {@linkcode respondLate} sends the lines in `HttpResponse.passed`. */
  readonly takesPassed?: boolean;
}

/** Delivers the response of an exchange. */
export interface ExchangeDelivery {
  /** The body ended or broke off, or the WebSocket has closed. */
  ended(exchange: Exchange): void;
}

/** Notified once when an exchange has ended. */
export interface ExchangeObserver {
  /** The exchange has ended; its fields are final. */
  exchangeEnded(exchange: Exchange): void;
}

/** Replaces the upstreams of a route in an exchange that only explains how a request would be handled. */
export interface DryRun {
  /** Index in its site, from 0, of the route that was chosen; -1 where none was. */
  route: number;
  /**
   * The request would be forwarded.
   *
   * @param socket Whether as a WebSocket handshake.
   * @returns A placeholder for the response; it is not sent.
   */
  forward(socket: boolean): HttpResponse;
}

/** Counts the bytes and the end of an exchange. */
export interface ExchangeMetrics {
  /** Bytes of the request's body were passed on. */
  received(bytes: number): void;
  /** Bytes of the response's body were sent; more may follow. */
  sent(bytes: number): void;
  /** The exchange has ended; its fields are final. */
  ended(exchange: Exchange): void;
}

/** Failed attempts that are recorded one by one; there may be many while the exchange waits for an upstream. */
const MOST_FAILURES = 16;

const NO_ID = givenId("");

/** One exchange; the access record is written from it. Owned by its generation. */
export class Exchange implements AccessRecord {
  /** The request's head; middleware and rewrites may replace it. */
  head: RequestHead;
  client: ClientSide;
  /** When its request arrived, in milliseconds of `performance.now()`. */
  readonly startMs: number = sharedTime.take();
  /** The client's address, after `trusted_proxies` were applied. */
  clientAddress: string;
  /** The client as a trusted proxy reports it; undefined where the peer is no trusted proxy. */
  forwarded: ForwardedClient | undefined;
  /** Its id; {@linkcode requestId} is its text. */
  id: RequestId = NO_ID;
  /** Name of the user who was authenticated, or empty. */
  user = "";
  /** Name of the site. */
  site = "";
  /** `path` of the route, or empty where no route matched. */
  route = "";
  /** The last upstream that was tried, or empty. */
  upstream = "";
  /** Name of the pool whose upstream was tried, or empty. */
  pool = "";
  /** Attempts made. */
  attempts = 0;
  /** Attempts after one whose request had been sent. */
  retries = 0;
  /** Failed attempts: upstream and cause of each, in order; undefined when there are none. */
  failures: string[] | undefined;
  /** From the start of the last attempt to the head of its response, in milliseconds; -1 without one. */
  upstreamMs = -1;
  /**
   * When the head of the upstream's response was read, in milliseconds of `performance.now()`; 0 where that is not
   * known.
   */
  respondedMs = 0;
  /** Whether the response came from an upstream, not from BWS. */
  fromUpstream = false;
  /** Header lines that BWS adds to an upstream's response, and that no rule of the config removes. */
  ownLines: string[] | undefined;
  /** Whether middleware gets the response after the pipeline, before it is delivered. */
  held = false;
  /** The delivery of the response, once the pipeline has run in a held exchange. */
  delivery: Delivery | undefined;
  /** The pipeline whose handler has the request. */
  pipeline: Pipeline | undefined;
  /** Status for the client, or 499 when it left first. */
  status = 0;
  /** Bytes of the response's body that were sent. */
  bytes = 0;
  /** The part of `bytes` that `metrics` has already counted. */
  countedBytes = 0;
  /** Bytes of messages from the client of a WebSocket. */
  receivedBytes = 0;
  /** Close code of a WebSocket, 1006 without a Close frame; 0 where there was no WebSocket. */
  closeCode = 0;
  /** The access log of its route or site; undefined for that of the server. */
  accessLog: AccessLog | undefined;
  /** Values of response fields that the access log has, in the order of its config; undefined without any. */
  loggedFields: string[] | undefined;
  /** Whether no access line is written, because a similar exchange has just written one. */
  unlogged = false;
  /** Whether the status reports a state, as in a readiness check: a 5xx is no error then. */
  reportsState = false;
  /** Whether it was an event stream or a long poll, whose duration is not the upstream's latency. */
  lasting = false;
  /** Why the exchange failed, or empty. */
  cause = "";
  /** Who caused the failure, or empty. */
  causeOwner: FailureOwner | "" = "";
  /** The upstream whose failed attempt is `cause`; empty where `cause` is another failure. */
  failedUpstream = "";
  /** From start to end, in milliseconds; -1 until then. */
  durationMs = -1;
  /** undefined where no metrics are kept. */
  metrics: ExchangeMetrics | undefined;
  /** undefined where the exchange is not traced. */
  span: ExchangeSpan | undefined;
  /** Set where the exchange is only explained: nothing is sent, counted or logged. */
  dryRun: DryRun | undefined;
  readonly #observer: ExchangeObserver;
  /** What is held until the end; undefined where nothing is. */
  #held: Disposable[] | undefined;

  /** Begins an exchange. */
  constructor(head: RequestHead, client: ClientSide, observer: ExchangeObserver) {
    this.head = head;
    this.client = client;
    this.clientAddress = head.peer.address;
    this.#observer = observer;
  }

  /** Request id, in all logs. */
  get requestId(): string {
    return this.id.text;
  }

  /** The client's scheme, from X-Forwarded-Proto of a trusted proxy where it has one. */
  get clientScheme(): "http" | "https" {
    const proto = this.forwarded?.proto;
    if (proto === undefined) return this.head.scheme;
    const scheme = firstMember(proto).toLowerCase();
    return scheme === "https" || scheme === "http" ? scheme : this.head.scheme;
  }

  /** Method as sent. */
  get method(): string {
    return this.head.method;
  }

  /** Authority as sent. */
  get host(): string {
    return this.head.authority;
  }

  /** Path as sent. */
  get path(): string {
    return (this.head.original ?? this.head).path;
  }

  /** Query with its `?`, or empty. */
  get query(): string {
    return (this.head.original ?? this.head).query;
  }

  /** Protocol of the request; undefined for HTTP/1.1 and earlier. */
  get protocol(): string | undefined {
    return this.head.protocol;
  }

  /** Referer as sent, or empty. */
  get referer(): string {
    return headerValue(this.head.headers, "referer") ?? "";
  }

  /** User-Agent as sent, or empty. */
  get userAgent(): string {
    return headerValue(this.head.headers, "user-agent") ?? "";
  }

  /** Whether a handler may return `LATER`, and then call {@linkcode respondLate}. */
  get takesLate(): boolean {
    return this.client.respondLate !== undefined && !this.held && this.pipeline !== undefined;
  }

  /** Whether {@linkcode respondLate} may be given a response with `passed`. */
  get takesPassed(): boolean {
    return this.client.takesPassed === true && this.pipeline?.takesPassed === true;
  }

  /** Responds with the outcome of a handler that returned `LATER`. */
  respondLate(outcome: Outcome): void {
    this.pipeline?.resume(this, outcome);
  }

  /** Responds with what the handler that returned `LATER` has thrown since. */
  failLate(error: unknown): void {
    this.pipeline?.resumeThrown(this, error);
  }

  /** Adds a header line that no rule of the config removes. */
  addLine(name: string, value: string): void {
    (this.ownLines ??= []).push(name, value);
  }

  /** Holds `resource` until the exchange has ended, in whatever way. */
  hold(resource: Disposable): void {
    (this.#held ??= []).push(resource);
  }

  /** Counts bytes of a streamed response body. */
  sent(bytes: number): void {
    this.bytes += bytes;
    this.countedBytes += bytes;
    this.metrics?.sent(bytes);
  }

  /** Records why the exchange failed. */
  failed(cause: string, owner: FailureOwner): void {
    this.cause = cause;
    this.causeOwner = owner;
    this.failedUpstream = "";
  }

  /** Records why an attempt failed; another one may follow. */
  attemptFailed(cause: string, owner: FailureOwner, upstream: string = this.upstream): void {
    this.failures ??= [];
    if (this.failures.length < MOST_FAILURES) this.failures.push(`${upstream}: ${cause}`);
    this.failed(cause, owner);
    this.failedUpstream = this.upstream;
  }

  /**
   * Ends the exchange; later calls have no effect. Called by its delivery only.
   *
   * @param nowMs The current time, where the caller has it.
   */
  end(nowMs = sharedTime.realMs): void {
    if (this.durationMs >= 0) return;
    this.durationMs = nowMs - this.startMs;
    this.metrics?.ended(this);
    this.span?.ended(this);
    if (this.#held !== undefined) { for (const resource of this.#held) resource[Symbol.dispose](); }
    this.#observer.exchangeEnded(this);
    lastObjects.exchange = this;
  }
}
