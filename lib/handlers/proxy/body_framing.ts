/**
 * The body of a request to be forwarded: whether there is one, its length, and its framing for the upstream.
 *
 * @module
 */

import { type BodyBuffering, type BufferedBody, StorageFailure } from "../../exchange/body_buffering.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { BodySource } from "../../http/body.ts";
import { isGrpc } from "../../http/grpc.ts";
import { ForwardFailure, statusOf } from "./forward_failure.ts";
import { type BodyRules, RequestBody } from "./request_body.ts";

/** A request's body, as it is sent to the upstream. */
export interface TakenBody {
  /** The header line of its framing, or empty. */
  framing: string;
  /** undefined when there is no body. */
  body: RequestBody | undefined;
}

/** A request without a body. */
export const BODILESS: TakenBody = { framing: "", body: undefined };

/**
 * Takes the body of a request and decides its framing. Without a promise for methods that have no body.
 *
 * @throws {ForwardFailure} 413 when Content-Length is above the limit.
 */
export function takeBody(exchange: Exchange, rules: BodyRules): TakenBody | Promise<TakenBody> {
  const length = declaredLength(exchange);
  if (length === NO_BODY) return BODILESS;
  const tooLarge = rules.limit?.announced(length) ?? uncountable(length);
  if (tooLarge !== undefined) throw new ForwardFailure(413, tooLarge, "client");
  if (length === 0) return { framing: NO_LENGTH, body: undefined };
  const source = exchange.client.body;
  if (source === null) return bodiless(exchange);
  if (rules.streaming) exchange.client.allowSlowBody?.();
  if (rules.buffering !== undefined && !isGrpc(exchange.head) && exchange.dryRun === undefined) {
    return buffered(exchange, { source, length }, rules, rules.buffering);
  }
  const body = new RequestBody(source, length, rules, exchange.metrics);
  if (length > 0) return { framing: `content-length: ${length}\r\n`, body };
  // A call of gRPC has a body, and its server may have to respond before the first message.
  return length === MAYBE && !isGrpc(exchange.head) ? unannounced(exchange, body) : { framing: CHUNKED_CODING, body };
}

// A length above 2^53 could not be passed on exactly.
function uncountable(length: number): string | undefined {
  return length > Number.MAX_SAFE_INTEGER ? `The body has ${length} bytes, more than can be counted` : undefined;
}

// HTTP/2 does not announce a body of unknown length: it has to be read to find out.
async function unannounced(exchange: Exchange, body: RequestBody): Promise<TakenBody> {
  const timer = setTimeout(() => body.flushHead(), 1000);
  await new Promise<void>((resolve) => body.begin({ bodyBegun: resolve }));
  clearTimeout(timer);
  if (!body.empty) return { framing: CHUNKED_CODING, body };
  return bodiless(exchange);
}

/** Reads the whole body first. Its length is known then, so that the upstream gets Content-Length; trailers need chunks. */
async function buffered(
  exchange: Exchange,
  { source, length }: { source: BodySource; length: number },
  rules: BodyRules,
  buffering: BodyBuffering,
): Promise<TakenBody> {
  let whole: BufferedBody;
  try {
    whole = await buffering.read({ source, length, limit: rules.limit });
  } catch (error) {
    if (error instanceof TransportFailure) throw new ForwardFailure(statusOf(error), error.message, error.owner);
    if (error instanceof StorageFailure) throw new ForwardFailure(error.status, error.message, "proxy");
    throw error;
  }
  if (whole.length === 0 && whole.trailers === undefined) {
    whole.source.release();
    return bodiless(exchange);
  }
  const sentLength = whole.trailers === undefined ? whole.length : CHUNKED;
  return {
    framing: sentLength < 0 ? CHUNKED_CODING : `content-length: ${sentLength}\r\n`,
    body: new RequestBody(whole.source, sentLength, { ...rules, limit: undefined }, exchange.metrics, whole.source),
  };
}

// RFC 9110, section 8.6: Content-Length: 0 is sent for methods that usually have a body.
function bodiless({ head: { method } }: Exchange): TakenBody {
  return EXPECTS_BODY.has(method) ? { framing: NO_LENGTH, body: undefined } : BODILESS;
}

const CHUNKED_CODING = "transfer-encoding: chunked\r\n";
const NO_LENGTH = "content-length: 0\r\n";
const EXPECTS_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const CHUNKED = -1;
const NO_BODY = -2;
const MAYBE = -3;

function declaredLength(exchange: Exchange): number {
  const { headers, method } = exchange.head;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name === "content-length") return Number(headers[i + 1]);
    if (name === "transfer-encoding") return CHUNKED;
  }
  if (method === "GET" || method === "HEAD") return NO_BODY;
  // HTTP/1.1 would have announced a body, but the version is not known here: HTTP/2 may have a Host field too.
  return MAYBE;
}
