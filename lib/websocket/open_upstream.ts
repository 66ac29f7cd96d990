/**
 * The way to an upstream's WebSocket: attempts are made until one upstream accepts or refuses, or none is left. A place
 * in the upstream's in-flight count is held from the attempt on, for as long as the socket lives.
 *
 * @module
 */

import type { RequestHead } from "../http/message.ts";
import { closeQuietly, dial, type Wire } from "../transport/dial.ts";
import { type FailureOwner, TransportFailure } from "../transport/failure.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Slot, Upstream } from "../upstream/upstream.ts";
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
  /** Notes why an attempt failed. */
  failed(cause: string, owner: FailureOwner): void;
}

/** How upstreams are reached. */
export interface UpstreamPlan {
  /** Where to look. */
  readonly pool: Pool;
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

/** An upstream that accepted. Whoever gets it closes the wire and releases the slot. */
export interface OpenedUpstream {
  /** The connection, on which frames follow. */
  readonly wire: Wire;
  /** The place in the in-flight count. */
  readonly slot: Slot;
  /** The upstream's answer. */
  readonly accepted: AcceptedHandshake;
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
  for (;;) {
    const upstream = pool.pick(request, avoid);
    if (upstream === undefined) {
      if (pool.busy(avoid) && !signal.aborted && await pool.waitForRoom(signal, avoid)) continue;
      return undefined;
    }
    request.attempts++;
    request.upstream = upstream.url;
    const slot = upstream.acquire();
    try {
      const opened = await attempt(request, plan, { upstream, slot });
      if (!("wire" in opened)) slot.release();
      return opened;
    } catch (error) {
      slot.release();
      if (!(error instanceof TransportFailure) || !plan.retryable(error)) throw error;
      request.failed(error.message, error.owner);
      avoid.push(upstream);
    }
  }
}

async function attempt(
  request: SocketRequest,
  plan: UpstreamPlan,
  { upstream, slot }: { upstream: Upstream; slot: Slot },
): Promise<OpenedUpstream | RefusedHandshake> {
  const { signal } = request.client;
  const startMs = performance.now();
  const wire = await dial(upstream.endpoint, plan.connectTimeoutMs, signal);
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
    if ("protocol" in answer) return { wire, slot, accepted: answer };
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
