/**
 * Forwarding: attempts are made until one gives an answer or none may be made any more.
 *
 * @module
 */

import type { Answer } from "../http/message.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { TransportFailure } from "../transport/failure.ts";
import { Attempt } from "./attempt.ts";
import type { Exchange } from "./exchange.ts";
import { ForwardFailure } from "./forward_failure.ts";
import { RequestBody } from "./request_body.ts";
import type { RequestHeaders } from "./request_headers.ts";
import type { ResponseHeaders } from "./response_headers.ts";

/** How the requests of one route are forwarded; built once. */
export interface ForwardPlan {
  /** Where they go. */
  readonly pool: Pool;
  /** The path upstream for a path of the client's, or undefined when it would leave the route's folder. */
  readonly rewrite: ((path: string) => string | undefined) | undefined;
  /** Whether the client's Host goes upstream. */
  readonly preserveHost: boolean;
  /** Request header rules. */
  readonly requestHeaders: RequestHeaders;
  /** Response header rules. */
  readonly responseHeaders: ResponseHeaders;
  /** Largest request body, in bytes; Infinity for no limit. */
  readonly maxBodyBytes: number;
}

/**
 * Forwards one request.
 *
 * @throws {ForwardFailure} With the status for the client.
 */
export async function forward(exchange: Exchange, plan: ForwardPlan): Promise<Answer> {
  const { head } = exchange;
  const path = plan.rewrite === undefined ? head.path : plan.rewrite(head.path);
  if (path === undefined) {
    throw new ForwardFailure(400, "The path has dot segments that leave the route", "client");
  }
  const length = declaredLength(exchange);
  const taken = length === NO_BODY ? BODILESS : await takeBody(exchange, length, plan.maxBodyBytes);
  const { framing, body } = taken;
  const target = path + head.query;
  let avoid: Upstream[] | undefined;
  let stale: Upstream | undefined;
  let fresh = false;
  for (;;) {
    const upstream = stale ?? plan.pool.pick(exchange, avoid);
    if (upstream === undefined) {
      // A signal that has fired already would not end the wait.
      const { signal } = exchange.client;
      if (plan.pool.busy(avoid) && !signal.aborted && await plan.pool.waitForRoom(signal, avoid)) continue;
      body?.cancel();
      throw noUpstream(exchange);
    }
    exchange.attempts++;
    exchange.upstream = upstream.url;
    const host = plan.preserveHost ? head.authority : upstream.endpoint.authority;
    const text = plan.requestHeaders.build(exchange, upstream.endpoint.basePath + target, host, framing);
    const attempt = new Attempt(upstream, exchange, body);
    try {
      return await attempt.run(text, plan.responseHeaders, fresh);
    } catch (error) {
      if (!(error instanceof TransportFailure)) {
        // A mistake of our own, and not to be blamed on an upstream.
        body?.cancel();
        throw error;
      }
      exchange.failed(error.message, error.owner);
      stale = undefined;
      if (retryableElsewhere(error)) {
        (avoid ??= []).push(upstream);
        continue;
      }
      if (staleConnection(error, attempt, exchange, body)) {
        // The same upstream, on a new connection; unless one who waited has taken the room that this attempt gave up.
        stale = upstream.full ? undefined : upstream;
        fresh = true;
        if (error.kind === "closed_unanswered") body?.rewind();
        continue;
      }
      body?.cancel();
      throw new ForwardFailure(statusOf(error), error.message, error.owner);
    }
  }
}

/** Whether another upstream may be tried: no byte was sent, so no byte can have been acted on. */
export function retryableElsewhere(failure: TransportFailure): boolean {
  return failure.kind === "connect" || failure.kind === "connect_timeout";
}

// A kept connection may have been closed by the upstream just before it was written to. Only what can be done twice
// without harm, and can be sent twice, is tried again, and on a new connection (RFC 9112, section 9.3.1).
function staleConnection(
  failure: TransportFailure,
  attempt: Attempt,
  exchange: Exchange,
  body: RequestBody | undefined,
): boolean {
  // Not even a byte was sent: any request may go out on another connection.
  if (failure.kind === "closed_unused") return true;
  return failure.kind === "closed_unanswered" && attempt.reused && IDEMPOTENT.has(exchange.head.method) &&
    (body === undefined || body.replayable);
}

/** Methods that may be done twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** The status that tells a client of `failure`. */
export function statusOf(failure: TransportFailure): number {
  switch (failure.kind) {
    case "read_timeout":
    case "write_timeout":
      return 504;
    case "client_left":
      return 499;
    case "client_timeout":
      return 408;
    case "body_too_large":
      return 413;
    case "dropped":
      return 503;
    default:
      return 502;
  }
}

/** The failure of an exchange for which no upstream is left. */
export function noUpstream(exchange: Exchange): ForwardFailure {
  if (exchange.attempts > 0) return new ForwardFailure(502, exchange.cause, "upstream");
  if (exchange.client.signal.aborted) {
    return new ForwardFailure(499, "The client left while it waited for an upstream", "client");
  }
  return new ForwardFailure(503, "No upstream is available", "upstream");
}

interface TakenBody {
  /** The header line that frames it, or empty. */
  framing: string;
  body: RequestBody | undefined;
}

const BODILESS: TakenBody = { framing: "", body: undefined };

async function takeBody(exchange: Exchange, length: number, maxBytes: number): Promise<TakenBody> {
  // Beyond 2^53 a length could not be passed on exactly.
  if (length > maxBytes || length > Number.MAX_SAFE_INTEGER) {
    throw new ForwardFailure(413, `The body has ${length} bytes, more than ${maxBytes}`, "client");
  }
  if (length === 0) return { framing: NO_LENGTH, body: undefined };
  const stream = exchange.client.body;
  if (stream === null) return BODILESS;
  const body = new RequestBody(stream, length, maxBytes);
  if (length > 0) return { framing: `content-length: ${length}\r\n`, body };
  if (length === MAYBE) {
    // HTTP/2 does not announce a body of unknown length: only reading tells.
    const timer = setTimeout(() => body.hurry(), 1000);
    await body.first();
    clearTimeout(timer);
    // RFC 9110, section 8.6: methods that expect a body say so when there is none.
    if (body.empty) return EXPECTS_BODY.has(exchange.head.method) ? { framing: NO_LENGTH, body: undefined } : BODILESS;
  }
  return { framing: "transfer-encoding: chunked\r\n", body };
}

const NO_LENGTH = "content-length: 0\r\n";
const EXPECTS_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const CHUNKED = -1;
const NO_BODY = -2;
const MAYBE = -3;

function declaredLength(exchange: Exchange): number {
  const { headers, method } = exchange.head;
  if (method === "GET" || method === "HEAD") return NO_BODY;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name === "content-length") return Number(headers[i + 1]);
    if (name === "transfer-encoding") return CHUNKED;
  }
  // HTTP/1.1 would have announced a body, but nothing tells the versions apart: HTTP/2 may have a Host field too.
  return MAYBE;
}
