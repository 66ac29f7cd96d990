/**
 * One exchange with a client: what is known of it from its first byte to its last, for the header rules, for the log,
 * and for whoever counts.
 *
 * @module
 */

import type { BodySource } from "../http/body.ts";
import type { Delivery } from "./delivery.ts";
import { firstMember, type ForwardedClient } from "../http/forwarded_client.ts";
import { sharedTime } from "../state/shared_time.ts";
import type { ExchangeSpan } from "../telemetry/exchange_span.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import type { FailureOwner } from "../failure/failure.ts";
import { headerValue } from "../http/header_lines.ts";
import type { AccessRecord } from "../log/access_line.ts";

/** The client's side of an exchange. Both members may be costly and are touched only when needed. */
export interface ClientSide {
  /** The request's body; whoever asks for it must read it to its end, or cancel it. */
  readonly body: BodySource | null;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
}

/** Delivers the response of an exchange. */
export interface ExchangeDelivery {
  /** The body was sent to its end or broke off, or the WebSocket has closed. */
  ended(exchange: Exchange): void;
}

/** Told once when an exchange is over. */
export interface ExchangeObserver {
  /** The exchange has ended; its fields are final. */
  exchangeEnded(exchange: Exchange): void;
}

/**
 * Takes the place of a route's upstreams, in an exchange that only finds out what would become of a request.
 *
 * @param route Place of the route among those of its site, from 0.
 * @param socket Whether the request would be forwarded as a WebSocket handshake.
 * @returns What stands for the response; it is not sent.
 */
export type Rehearsal = (route: number, socket: boolean) => HttpResponse;

/** Counts what passes in an exchange. */
export interface ExchangeMetrics {
  /** Some of the request's body was passed on. */
  received(bytes: number): void;
  /** Some of the response's body was handed over, and more may follow. */
  sent(bytes: number): void;
  /** The exchange has ended; its fields are final. */
  ended(exchange: Exchange): void;
}

/** Failed attempts that are told one by one; there may be many while an upstream is waited for. */
const MOST_FAILURES = 16;

/** What is known of one exchange, from which its access line is written. Owned by its generation. */
export class Exchange implements AccessRecord {
  /** The request's head; middleware may put another in its place. */
  head: RequestHead;
  /** Its body and its client's presence. */
  client: ClientSide;
  /** When it began, in milliseconds of `performance.now()`. */
  readonly startMs: number = sharedTime.take();
  /** The client's address, behind trusted proxies. */
  clientAddress: string;
  /** What the peer tells of the client; undefined where the peer is no trusted proxy. */
  told: ForwardedClient | undefined;
  /** Name of this exchange in all logs. */
  requestId = "";
  /** Name of the site. */
  site = "";
  /** `path` of the route, or empty where none took it. */
  route = "";
  /** The last upstream that was tried, or empty. */
  upstream = "";
  /** Attempts made. */
  attempts = 0;
  /** Attempts that followed one whose request had been sent. */
  retries = 0;
  /** Attempts that failed: upstream and cause of each, in order; undefined when none did. */
  failures: string[] | undefined;
  /** From the start of the last attempt to the head of its response, in milliseconds; -1 without one. */
  upstreamMs = -1;
  /** When the head of the upstream's response was read, in milliseconds of `performance.now()`; 0 where that is not known. */
  respondedMs = 0;
  /** Whether the response is the upstream's, not one of BWS's own. */
  fromUpstream = false;
  /** Header lines that BWS puts on an upstream's response, which no rule of the config takes away. */
  ownLines: string[] | undefined;
  /** Whether middleware is to see the response, so that the delivery of the pipeline is not the end. */
  held = false;
  /** What delivers the response; undefined before. */
  delivery: Delivery | undefined;
  /** Largest body that the request may have, in bytes. */
  maxBodyBytes = Infinity;
  /** Status that the client got, or 499 when it left first. */
  status = 0;
  /** Bytes of the response's body that were sent. */
  bytes = 0;
  /** Those of them that `metrics` was told of. */
  meteredBytes = 0;
  /** Bytes of message that the client of a WebSocket sent. */
  receivedBytes = 0;
  /** Code that a WebSocket was closed with, 1006 without a Close frame; 0 where there was no WebSocket. */
  closeCode = 0;
  /** Whether it writes no line in the log, because the like of it has just written one. */
  unlogged = false;
  /** Whether its status is what was asked for, as of a readiness check: a 5xx is no error then. */
  tellsState = false;
  /** Whether it was a stream of events or a long poll: how long it took says nothing of how quick the upstream is. */
  lasting = false;
  /** Why it failed, or empty. */
  cause = "";
  /** Who caused that. */
  causeOwner: FailureOwner | "" = "";
  /** The upstream whose failed attempt `cause` tells of; empty where it tells of something else. */
  failedUpstream = "";
  /** From start to end, in milliseconds; -1 until then. */
  durationMs = -1;
  /** Where it is counted; undefined where no metrics are kept. */
  metrics: ExchangeMetrics | undefined;
  /** Its span; undefined where it is not traced. */
  span: ExchangeSpan | undefined;
  /** Set where nothing is to be sent, counted or logged. */
  rehearsal: Rehearsal | undefined;
  readonly #observer: ExchangeObserver;

  /** Begins an exchange. */
  constructor(head: RequestHead, client: ClientSide, observer: ExchangeObserver) {
    this.head = head;
    this.client = client;
    this.clientAddress = head.peer.address;
    this.#observer = observer;
  }

  /** The scheme that the client uses, where trusted proxies tell. */
  get clientScheme(): "http" | "https" {
    const proto = this.told?.proto;
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
    return this.head.path;
  }

  /** Query with its `?`, or empty. */
  get query(): string {
    return this.head.query;
  }

  /** Referer as sent, or empty. */
  get referer(): string {
    return headerValue(this.head.headers, "referer") ?? "";
  }

  /** User-Agent as sent, or empty. */
  get userAgent(): string {
    return headerValue(this.head.headers, "user-agent") ?? "";
  }

  /** Adds one of the lines that no rule of the config takes away. */
  addLine(name: string, value: string): void {
    (this.ownLines ??= []).push(name, value);
  }

  /** Counts bytes of a response's body that is sent piece by piece. */
  sent(bytes: number): void {
    this.bytes += bytes;
    this.meteredBytes += bytes;
    this.metrics?.sent(bytes);
  }

  /** Notes why it failed. */
  failed(cause: string, owner: FailureOwner): void {
    this.cause = cause;
    this.causeOwner = owner;
    this.failedUpstream = "";
  }

  /** Notes why an attempt failed; another one may do better. */
  attemptFailed(cause: string, owner: FailureOwner, upstream: string = this.upstream): void {
    this.failures ??= [];
    if (this.failures.length < MOST_FAILURES) this.failures.push(`${upstream}: ${cause}`);
    this.failed(cause, owner);
    this.failedUpstream = this.upstream;
  }

  /**
   * Ends it; later calls change nothing. Called by its delivery alone.
   *
   * @param nowMs The time, where it has just been taken.
   */
  end(nowMs = performance.now()): void {
    if (this.durationMs >= 0) return;
    this.durationMs = nowMs - this.startMs;
    this.metrics?.ended(this);
    this.span?.ended(this);
    this.#observer.exchangeEnded(this);
  }
}
