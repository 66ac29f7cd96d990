/**
 * The span of one exchange, its attributes, and the spans of its attempts below it.
 *
 * @module
 */

import { AttemptSpan } from "./attempt_span.ts";
import { CLIENT, type RuntimeSpan, type RuntimeTracing, SPAN_KEY, STATUS_ERROR } from "./runtime_tracer.ts";
import type { SpanAttributes } from "./runtime_tracer.ts";
import { formatTraceParent, recorded } from "./trace_parent.ts";

/** The parts of a request head that a trace records. */
export interface TracedHead {
  /** Method as sent. */
  readonly method: string;
  /** Raw path; the whole URL if it could not be parsed. */
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

/** The parts of a finished exchange that a trace records. */
export interface TracedExchange {
  readonly head: TracedHead;
  /** The client's address, or empty. */
  readonly clientAddress: string;
  /** The scheme that the client uses. */
  readonly clientScheme: string;
  /** Id of the exchange in all logs. */
  readonly requestId: string;
  /** Name of the site, or empty. */
  readonly site: string;
  /** `path` of the route, or empty. */
  readonly route: string;
  /** Status code; 499 if the client closed the connection first. */
  readonly status: number;
  /** Number of attempts. */
  readonly attempts: number;
  /** Close code of a WebSocket; 0 without one. */
  readonly closeCode: number;
  /** Cause of the failure, or empty. */
  readonly cause: string;
  /** Who caused the failure, or empty. */
  readonly causeOwner: string;
}

/** The upstream of an attempt. */
export interface TracedUpstream {
  /** Type of its connections. */
  readonly kind: "tcp" | "tls" | "unix";
  /** Host name or address; empty for unix sockets. */
  readonly hostname: string;
  /** Port; 0 for unix sockets. */
  readonly port: number;
  /** Path of a unix socket, or empty. */
  readonly socketPath: string;
  /** Authority for requests to it. */
  readonly authority: string;
  /** Path that is prepended to the path of every request. */
  readonly basePath: string;
}

/** The context of a trace as values of header fields; empty without a trace. */
export interface CarriedTrace {
  /** Value of `traceparent`. */
  traceparent: string;
  /** Value of `tracestate`. */
  tracestate: string;
}

/** The span of one exchange. Owned by the exchange, which ends it. */
export class ExchangeSpan implements CarriedTrace {
  /** Value of `traceparent` for the upstream. If traces are propagated, it names the span of the last attempt. */
  traceparent: string;
  /** Value of `tracestate` for the upstream, as the client sent it. */
  readonly tracestate: string;
  /** Kind of failure of the exchange if its status does not show it, else empty. */
  errorType = "";
  readonly #tracing: RuntimeTracing;
  readonly #span: RuntimeSpan;
  /** Nothing is collected for a trace that is not recorded. */
  readonly #recorded: boolean;

  /** Takes ownership of `span`; `carried` is the context that the client sent. */
  constructor(tracing: RuntimeTracing, span: RuntimeSpan, carried: CarriedTrace) {
    this.#tracing = tracing;
    this.#span = span;
    this.traceparent = carried.traceparent;
    this.tracestate = carried.tracestate;
    this.#recorded = true;
    if (tracing.withoutSampler) return;
    const context = span.spanContext();
    this.#recorded = recorded(context.traceFlags);
    if (!this.#recorded && tracing.propagates) this.traceparent = formatTraceParent(context);
  }

  /**
   * Starts the span of an attempt, and updates {@linkcode traceparent}.
   *
   * @param target Path and query of the request, without the base path of the upstream.
   * @returns undefined if the trace is not recorded.
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

  /** Ends the span with the result of its exchange. */
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
      if (status !== CLIENT_CLOSED_REQUEST) span.setStatus({ code: STATUS_ERROR, message: exchange.cause });
    }
    span.setAttributes(attributes);
    span.end();
  }
}

/** The parts of an exchange that the span of an attempt records. */
export interface TracedAttempt {
  readonly head: Pick<TracedHead, "method">;
  /** Number of attempts, including this one. */
  readonly attempts: number;
}

/** The method in the name of a span: one of a small fixed set, whatever clients send. */
export function spanMethod(method: string): string {
  return KNOWN_METHODS.has(method) ? method : "HTTP";
}

const CLIENT_CLOSED_REQUEST = 499;
const KNOWN_METHODS: ReadonlySet<string> = new Set(
  ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"],
);
/** Close codes of WebSockets that ended normally. */
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

/** The error type, or empty. What the client did wrong is not an error of a server (semantic conventions for HTTP). */
function errorTypeOf({ status, attempts, closeCode, cause, causeOwner }: TracedExchange): string {
  if (status >= 500) return String(status);
  if (status === CLIENT_CLOSED_REQUEST) return "client_left";
  if (cause === "" || causeOwner === "client") return "";
  if (!ORDERLY_CLOSES.has(closeCode)) return String(closeCode);
  // After attempts, the cause may be that of a failed attempt whose retry succeeded.
  return attempts === 0 ? "_OTHER" : "";
}
