/**
 * The way to an upstream's WebSocket: attempts are made until one upstream accepts or refuses, or none is left. A place
 * in the upstream's in-flight count is held from the attempt on, for as long as the socket lives.
 *
 * @module
 */

import type { RequestHead } from "../http/message.ts";
import { closeQuietly, dial, type Wire } from "../transport/dial.ts";
import { type FailureOwner, TransportFailure } from "../transport/failure.ts";
import type { AttemptSpan } from "../telemetry/attempt_span.ts";
import type { ExchangeSpan } from "../telemetry/exchange_span.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Slot } from "../upstream/slot.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Patience } from "../upstream/waiting_line.ts";
import { handshakeKey } from "./handshake.ts";
import { type AcceptedHandshake, type RefusedHandshake, shakeHands } from "./upstream_handshake.ts";

/** The exchange that wants a WebSocket, as far as its attempts go. */
export interface SocketRequest {
  /** Head of the request. */
  readonly head: RequestHead;
  /** The client's address, behind trusted proxies. */
  readonly clientAddress: string;
  /** Its client's presence. */
  readonly client: { readonly signal: AbortSignal };
  /** Attempts made. */
  attempts: number;
  /** The last upstream that was tried. */
  upstream: string;
  /** From the start of the last attempt to the head of its answer, in milliseconds. */
  upstreamMs: number;
  /** Its span; undefined where it is not traced. */
  readonly span?: ExchangeSpan | undefined;
  /** Notes why an attempt failed. */
  attemptFailed(cause: string, owner: FailureOwner): void;
}

/** How upstreams are reached. */
export interface UpstreamPlan {
  /** Where to look. */
  readonly pool: Pool;
  /** Path and query that are asked for. */
  readonly target: string;
  /** Subprotocols that the client offers. */
  readonly protocols: readonly string[];
  /** Longest time for look-up, TCP and TLS handshake, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time for the upstream's answer to the handshake, in milliseconds. */
  readonly answerTimeoutMs: number;
  /** The request's head as text, with the header lines of the handshake in it. */
  buildHead(upstream: Upstream, handshakeLines: string): string;
  /** Whether an attempt that failed so may be followed by one at another upstream. */
  retryable(failure: TransportFailure): boolean;
}

/** An upstream that accepted. Whoever gets it closes the wire, releases the slot and ends the span. */
export interface OpenedUpstream {
  /** The connection, on which frames follow. */
  readonly wire: Wire;
  /** The place in the in-flight count. */
  readonly slot: Slot;
  /** The upstream's answer. */
  readonly accepted: AcceptedHandshake;
  /** The attempt's span; undefined where it is not traced. */
  readonly span: AttemptSpan | undefined;
}

/**
 * Finds an upstream that answers.
 *
 * @returns Its WebSocket, its refusal, or undefined when no upstream is left to ask.
 * @throws {TransportFailure} When an upstream was asked and did not answer as it must, or the client left.
 */
export async function openUpstream(
  request: SocketRequest,
  plan: UpstreamPlan,
): Promise<OpenedUpstream | RefusedHandshake | undefined> {
  const { pool } = plan;
  const { signal } = request.client;
  const avoid: Upstream[] = [];
  const patience: Patience = { waitedMs: 0 };
  for (;;) {
    const slot = pool.acquire(request, avoid);
    if (slot === undefined) {
      if (pool.busy(avoid) && !signal.aborted && await pool.waitForRoom(signal, avoid, patience)) continue;
      return undefined;
    }
    const { upstream } = slot;
    request.attempts++;
    if (request.attempts > 1) upstream.meter?.retried();
    request.upstream = upstream.url;
    const span = request.span?.attempt(upstream.endpoint, request, plan.target);
    try {
      const opened = await attempt(request, plan, { slot, span });
      if (!("wire" in opened)) {
        slot.release();
        span?.end();
      }
      return opened;
    } catch (error) {
      slot.release();
      if (error instanceof TransportFailure) span?.failed(error);
      span?.end();
      if (!(error instanceof TransportFailure)) throw error;
      slot.failed(error, false);
      if (!plan.retryable(error)) throw error;
      request.attemptFailed(error.message, error.owner);
      avoid.push(upstream);
    }
  }
}

async function attempt(
  request: SocketRequest,
  plan: UpstreamPlan,
  { slot, span }: { slot: Slot; span: AttemptSpan | undefined },
): Promise<OpenedUpstream | RefusedHandshake> {
  const { upstream } = slot;
  const { signal } = request.client;
  const startMs = performance.now();
  const wire = await dial(upstream.endpoint, plan.connectTimeoutMs, signal);
  upstream.meter?.dialled(performance.now() - startMs);
  let failure: TransportFailure | undefined;
  const cut = (why: TransportFailure) => {
    failure = why;
    closeQuietly(wire);
  };
  const leave = () => cut(new TransportFailure("client_left", "The client left within its WebSocket handshake"));
  const timer = setTimeout(() => {
    const message = `The upstream did not answer the WebSocket handshake within ${plan.answerTimeoutMs} ms`;
    cut(new TransportFailure("read_timeout", message));
  }, plan.answerTimeoutMs);
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  try {
    const key = handshakeKey();
    const head = plan.buildHead(upstream, handshakeLines(key));
    const answer = await shakeHands(wire, { head, key, protocols: plan.protocols });
    if (failure !== undefined) throw failure;
    request.upstreamMs = performance.now() - startMs;
    const status = "protocol" in answer ? 101 : answer.head.status;
    slot.answered(status, request.upstreamMs);
    span?.answered(status);
    if ("protocol" in answer) return { wire, slot, accepted: answer, span };
    closeQuietly(wire);
    return answer;
  } catch (error) {
    closeQuietly(wire);
    throw failure ?? error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}

function handshakeLines(key: string): string {
  return `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n`;
}
