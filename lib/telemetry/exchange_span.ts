/**
 * The span of one exchange: what it tells, and the spans of its attempts below it.
 *
 * @module
 */

import { AttemptSpan } from "./attempt_span.ts";
import { CLIENT, type RuntimeSpan, type RuntimeTracing, SPAN_KEY, STATUS_ERROR } from "./runtime_tracer.ts";
import type { SpanAttributes } from "./runtime_tracer.ts";
import { formatTraceParent, recorded } from "./trace_parent.ts";

/** A request's head, as far as a trace tells. */
export interface TracedHead {
  /** Method as sent. */
  readonly method: string;
  /** Raw path; the whole URL where that could not be taken apart. */
  readonly path: string;
  /** Raw query with its `?`, or empty. */
  readonly query: string;
  /** Authority as sent. */
  readonly authority: string;
  /** Host of the authority. */
  readonly host: string;
  /** Header lines, names in lower case. */
  readonly headers: readonly string[];
}

/** An exchange that has ended, as far as a trace tells. */
export interface TracedExchange {
  /** Its request's head. */
  readonly head: TracedHead;
  /** The client's address, or empty. */
  readonly clientAddress: string;
  /** The scheme that the client uses. */
  readonly clientScheme: string;
  /** Its name in all logs. */
  readonly requestId: string;
  /** Name of the site, or empty. */
  readonly site: string;
  /** `path` of the route, or empty. */
  readonly route: string;
  /** Status; 499 when the client left first. */
  readonly status: number;
  /** Attempts made. */
  readonly attempts: number;
  /** Code that a WebSocket was closed with; 0 where there was none. */
  readonly closeCode: number;
  /** Why it failed, or empty. */
  readonly cause: string;
  /** Who caused that, or empty. */
  readonly causeOwner: string;
}

/** Where an attempt goes. */
export interface TracedUpstream {
  /** How it is reached. */
  readonly kind: "tcp" | "tls" | "unix";
  /** Host name or address; empty for unix sockets. */
  readonly hostname: string;
  /** Port; 0 for unix sockets. */
  readonly port: number;
  /** Path of a unix socket, else empty. */
  readonly socketPath: string;
  /** Its authority. */
  readonly authority: string;
  /** Path that is put before every request's path. */
  readonly basePath: string;
}

/** What carries a trace, as lines of a head: empty where there is none. */
export interface CarriedTrace {
  /** Value of `traceparent`. */
  traceparent: string;
  /** Value of `tracestate`. */
  tracestate: string;
}

/** The span of one exchange. Owned by the exchange, which ends it. */
export class ExchangeSpan implements CarriedTrace {
  /** Value of `traceparent` for the upstream: with the span of the last attempt in it, where traces are passed on. */
  traceparent: string;
  /** Value of `tracestate` for the upstream, as the client sent it. */
  readonly tracestate: string;
  /** Why the exchange failed, where its status does not tell; else empty. */
  errorType = "";
  readonly #tracing: RuntimeTracing;
  readonly #span: RuntimeSpan;
  /** Where most traces are not, what nobody sees is not put together. */
  readonly #recorded: boolean;

  /** Takes over `span`; `carried` is what the client's trace passes on as it came. */
  constructor(tracing: RuntimeTracing, span: RuntimeSpan, carried: CarriedTrace) {
    this.#tracing = tracing;
    this.#span = span;
    this.traceparent = carried.traceparent;
    this.tracestate = carried.tracestate;
    this.#recorded = true;
    if (tracing.unguided) return;
    const context = span.spanContext();
    this.#recorded = recorded(context.traceFlags);
    if (!this.#recorded && tracing.propagates) this.traceparent = formatTraceParent(context);
  }

  /**
   * Begins the span of an attempt, and puts it in {@linkcode traceparent}.
   *
   * @param target Path and query that are asked for, without the upstream's own base path.
   * @returns undefined when the trace is not recorded.
   */
  attempt(upstream: TracedUpstream, { head, attempts }: TracedAttempt, target: string): AttemptSpan | undefined {
    if (!this.#recorded) return undefined;
    const { tracer, root, propagates } = this.#tracing;
    const span = tracer.startSpan(spanMethod(head.method), { kind: CLIENT }, root.setValue(SPAN_KEY, this.#span));
    if (propagates) this.traceparent = formatTraceParent(span.spanContext());
    const { kind, hostname, port, socketPath, authority, basePath } = upstream;
    const attributes: SpanAttributes = {
      "server.address": kind === "unix" ? socketPath : hostname,
      "url.full": `${kind === "tls" ? "https" : "http"}://${authority}${basePath}${target}`,
    };
    addMethod(attributes, head.method);
    if (port > 0) attributes["server.port"] = BigInt(port);
    if (attempts > 1) attributes["http.request.resend_count"] = BigInt(attempts - 1);
    return new AttemptSpan(span, attributes, this);
  }

  /** Ends it with what its exchange came to. */
  ended(exchange: TracedExchange): void {
    if (!this.#recorded) return;
    const { head, route, status, attempts, closeCode, clientAddress } = exchange;
    const span = this.#span;
    const attributes: SpanAttributes = {
      "url.scheme": exchange.clientScheme,
      "http.response.status_code": BigInt(status),
      "bws.request_id": exchange.requestId,
    };
    addMethod(attributes, head.method);
    addUrl(attributes, head);
    if (exchange.site !== "") attributes["bws.site"] = exchange.site;
    if (clientAddress !== "") attributes["client.address"] = clientAddress;
    if (attempts > 0) attributes["bws.attempts"] = BigInt(attempts);
    if (closeCode !== 0) attributes["bws.websocket.close_code"] = BigInt(closeCode);
    if (route !== "") {
      attributes["http.route"] = route;
      span.updateName(`${spanMethod(head.method)} ${route}`);
    }
    const errorType = errorTypeOf(exchange) || this.errorType;
    if (errorType !== "") {
      attributes["error.type"] = errorType;
      if (status !== CLIENT_LEFT) span.setStatus({ code: STATUS_ERROR, message: exchange.cause });
    }
    span.setAttributes(attributes);
    span.end();
  }
}

/** What an attempt's span needs to know of its exchange. */
export interface TracedAttempt {
  /** The request's head. */
  readonly head: Pick<TracedHead, "method">;
  /** Attempts made, this one included. */
  readonly attempts: number;
}

/** What a span's name says of a method: one of few, whatever clients send. */
export function spanMethod(method: string): string {
  return KNOWN_METHODS.has(method) ? method : "HTTP";
}

const CLIENT_LEFT = 499;
const KNOWN_METHODS: ReadonlySet<string> = new Set(
  ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"],
);
/** WebSockets that ended as they should. */
const ORDERLY_CLOSES: ReadonlySet<number> = new Set([0, 1000, 1001, 1005]);

function addMethod(attributes: SpanAttributes, method: string): void {
  const known = KNOWN_METHODS.has(method);
  attributes["http.request.method"] = known ? method : "_OTHER";
  if (!known) attributes["http.request.method_original"] = method;
}

function addUrl(attributes: SpanAttributes, { path, query, authority, host, headers }: TracedHead): void {
  attributes[path.startsWith("/") ? "url.path" : "url.full"] = path;
  if (query.length > 1) attributes["url.query"] = query.slice(1);
  if (host !== "") {
    attributes["server.address"] = host;
    const port = authority.slice(authority.lastIndexOf(":") + 1);
    if (port !== authority && /^\d+$/.test(port)) attributes["server.port"] = BigInt(port);
  }
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === "user-agent") attributes["user_agent.original"] = headers[i + 1];
  }
}

/** Why it failed, or empty. What the client did wrong is no failure of a server (semantic conventions for HTTP). */
function errorTypeOf({ status, attempts, closeCode, cause, causeOwner }: TracedExchange): string {
  if (status >= 500) return String(status);
  if (status === CLIENT_LEFT) return "client_left";
  if (cause === "" || causeOwner === "client") return "";
  if (!ORDERLY_CLOSES.has(closeCode)) return String(closeCode);
  // After attempts, the cause may be that of one which was made good by another.
  return attempts === 0 ? "_OTHER" : "";
}
