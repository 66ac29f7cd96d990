/**
 * The way to an upstream's WebSocket: attempts are made until one upstream accepts or refuses, or none is left. A place
 * in the upstream's in-flight count is held from the attempt on, for as long as the socket lives.
 *
 * @module
 */

import type { RequestHead } from "../../http/message.ts";
import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import { closeQuietly, type Wire } from "../../sockets/wire.ts";
import { type FailureOwner, TransportFailure } from "../../failure/failure.ts";
import type { AttemptSpan } from "../../telemetry/attempt_span.ts";
import type { ExchangeSpan } from "../../telemetry/exchange_span.ts";
import { type Contender, DialRace } from "../../upstream/dial_race.ts";
import type { Pool } from "../../upstream/pool.ts";
import type { Slot } from "../../upstream/slot.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { RETRIES } from "../../upstream/upstream_metrics.ts";
import type { QueueBudget } from "../../upstream/request_queue.ts";
import { handshakeKey, handshakeLines } from "./handshake.ts";
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
  attemptFailed(cause: string, owner: FailureOwner, upstream?: string): void;
}

/** How upstreams are reached. */
export interface UpstreamPlan {
  /** Where to look. */
  readonly pool: Pool;
  /** Path and query that are asked for. */
  readonly target: string;
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

/** An upstream that refused, with its answer. */
export interface RefusedUpstream extends RefusedHandshake {
  /** Who refused. */
  readonly upstream: Upstream;
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
): Promise<OpenedUpstream | RefusedUpstream | undefined> {
  const { pool } = plan;
  const { signal } = request.client;
  const avoid: Upstream[] = [];
  const queueBudget: QueueBudget = { waitedMs: 0 };
  const failed = (attempt: SocketAttempt, error: unknown) => {
    attempt.failed(error);
    if (!(error instanceof TransportFailure) || !plan.retryable(error)) throw error;
    request.attemptFailed(error.message, error.owner, attempt.upstream.url);
    avoid.push(attempt.upstream);
  };
  for (;;) {
    const slot = pool.acquire(request, avoid);
    if (slot === undefined) {
      if (pool.busy(avoid) && !signal.aborted && await pool.waitForRoom(signal, avoid, queueBudget)) continue;
      return undefined;
    }
    const { attempt, error } = await connected(request, plan, { slot, avoid, lost: failed });
    request.upstream = attempt.upstream.url;
    try {
      if (error !== undefined) throw error;
      return await attempt.shakeHands();
    } catch (error) {
      failed(attempt, error);
    }
  }
}

async function connected(
  request: SocketRequest,
  plan: UpstreamPlan,
  { slot, avoid, lost }: {
    slot: Slot;
    avoid: readonly Upstream[];
    lost: (attempt: SocketAttempt, error: unknown) => void;
  },
): Promise<{ attempt: SocketAttempt; error?: unknown }> {
  const { pool } = plan;
  const first = new SocketAttempt(slot, request, plan);
  if (!pool.races) {
    try {
      await first.connect();
      return { attempt: first };
    } catch (error) {
      return { attempt: first, error };
    }
  }
  const running = [first.upstream];
  const race = new DialRace<SocketAttempt>(() => {
    const another = pool.acquireAnother(request, [...running, ...avoid]);
    if (another === undefined) return undefined;
    running.push(another.upstream);
    return new SocketAttempt(another, request, plan);
  }, (attempt, error) => {
    try {
      lost(attempt, error);
    } catch {
      // The others go on; the last one's failure is told.
    }
  });
  const { contender, error } = await race.run(first);
  return { attempt: contender, error };
}

/** An attempt at one upstream. Holds its place until it fails, is refused, or hands the place over with the socket. */
class SocketAttempt implements Contender {
  readonly #slot: Slot;
  readonly #request: SocketRequest;
  readonly #plan: UpstreamPlan;
  readonly #span: AttemptSpan | undefined;
  #wire: Wire | undefined;
  #overtaken = false;
  #startMs = performance.now();

  constructor(slot: Slot, request: SocketRequest, plan: UpstreamPlan) {
    this.#slot = slot;
    this.#request = request;
    this.#plan = plan;
    request.attempts++;
    if (request.attempts > 1) slot.upstream.metrics?.add(RETRIES);
    request.upstream = slot.upstream.url;
    this.#span = request.span?.attempt(slot.upstream.endpoint, request, plan.target);
  }

  get upstream(): Upstream {
    return this.#slot.upstream;
  }

  async connect(onDialling?: () => void): Promise<void> {
    const { signal } = this.#request.client;
    const wait = this.upstream.connections.dial({
      timeoutMs: this.#plan.connectTimeoutMs,
      onDialling: () => {
        this.#startMs = performance.now();
        onDialling?.();
      },
      onLateFailure: (failure) => this.#slot.failed(failure, false),
    });
    const leave = () => {
      if (!this.#overtaken) wait.leave();
    };
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      this.#wire = await wait.result;
      if (this.#overtaken) this.#letGo(this.#wire);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  overtaken(): void {
    this.#overtaken = true;
    // Two dials that end in one turn of the event loop: both have a connection before the race is decided.
    if (this.#wire !== undefined) this.#letGo(this.#wire);
  }

  failed(error: unknown): unknown {
    if (this.#wire !== undefined) closeQuietly(this.#wire);
    if (error instanceof TransportFailure) {
      this.#span?.failed(error);
      this.#slot.failed(error, false);
    }
    this.#end();
    return error;
  }

  async shakeHands(): Promise<OpenedUpstream | RefusedUpstream> {
    const request = this.#request;
    const plan = this.#plan;
    const wire = this.#wire as Wire;
    const { signal } = request.client;
    let failure: TransportFailure | undefined;
    const cut = (why: TransportFailure) => {
      failure = why;
      closeQuietly(wire);
    };
    const leave = () => cut(new TransportFailure("client_left", "The client left within its WebSocket handshake"));
    const { answerTimeoutMs } = plan;
    const late = () => {
      const message = `The upstream did not answer the WebSocket handshake within ${answerTimeoutMs} ms`;
      cut(new TransportFailure("read_timeout", message));
    };
    const timer = answerTimeoutMs < Infinity ? new StallTolerantTimer(late, answerTimeoutMs) : undefined;
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      const key = handshakeKey();
      const head = plan.buildHead(this.upstream, handshakeLines(key));
      const answer = await shakeHands(wire, { head, key });
      if (failure !== undefined) throw failure;
      request.upstreamMs = performance.now() - this.#startMs;
      const status = "protocol" in answer ? 101 : answer.head.status;
      this.#slot.answered(status, request.upstreamMs);
      this.#span?.answered(status);
      if ("protocol" in answer) return { wire, slot: this.#slot, accepted: answer, span: this.#span };
      closeQuietly(wire);
      this.#end();
      return { ...answer, upstream: this.upstream };
    } catch (error) {
      throw failure ?? error;
    } finally {
      timer?.stop();
      signal.removeEventListener("abort", leave);
    }
  }

  #letGo(wire: Wire): void {
    closeQuietly(wire);
    this.#end();
  }

  #end(): void {
    this.#slot.release();
    this.#span?.end();
  }
}
