/**
 * The attempt loop of a forwarded request: attempts are made until one has a response or no further one is allowed. A
 * WebSocket handshake takes the same loop; its connection may be upgraded at the end.
 *
 * @module
 */

import { type HttpResponse, keepResponse, LATER } from "../../http/message.ts";
import type { HeadWriter } from "../../http1/head_writer.ts";
import type { HeadSource } from "../../upstream/connection/lent_connection.ts";
import { lastObjects } from "../../state/last_objects.ts";
import type { Pool } from "../../upstream/pool.ts";
import { DialRace, type RaceResult } from "../../upstream/dial_race.ts";
import type { Slot } from "../../upstream/upstream.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { RETRIES } from "../../upstream/upstream_metrics.ts";
import type { QueueBudget } from "../../upstream/request_queue.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { RetryableResponse } from "./retryable_response.ts";
import { Attempt } from "./attempt.ts";
import type { AttemptListener } from "./attempt_listener.ts";
import type { AttemptLimits } from "./attempt_limits.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { ForwardFailure, statusOf } from "./forward_failure.ts";
import type { RequestBody } from "./request_body.ts";
import type { RequestHeaders } from "./request_headers.ts";
import type { ResponseRules } from "./response_headers.ts";
import type { ProxyConfig } from "./config/proxy_schema.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";
import { Retry } from "./retry.ts";
import { BODILESS, takeBody } from "./body_framing.ts";
import type { BodyRules } from "./request_body.ts";
import { type UpstreamRequest, upstreamTarget, writeUpstreamHead } from "./upstream_request.ts";
import type { UpstreamUpgrade } from "./upstream_upgrade.ts";

/** How the requests of one route are forwarded; built once. */
export interface ForwardPlan extends ResponseRules, Pick<ProxyConfig, "preserve_host"> {
  readonly pool: Pool;
  /** Maps the client's path to the upstream's; undefined when the result would leave the route's folder. */
  readonly rewrite: ((path: string) => string | undefined) | undefined;
  /** Request header rules. */
  readonly requestHeaders: RequestHeaders;
  /** Prefix that is removed from the request's path, without a trailing slash; or empty. */
  readonly forwardedPrefix: string;
  /** How large a request body may be, and how much of it is kept in memory. */
  readonly body: BodyRules;
  /** When requests are retried. */
  readonly retries: RetriesConfig;
  /** How long an attempt may take. */
  readonly limits: AttemptLimits;
}

/**
 * Forwards one request. Returns `LATER` where the exchange takes it and a connection is idle.
 *
 * @param upgrade The upgrade that the upstream is asked for; the request has no body then.
 * @throws {ForwardFailure} With the status for the client.
 */
export function forward(
  exchange: Exchange,
  plan: ForwardPlan,
  upgrade?: UpstreamUpgrade,
): HttpResponse | Promise<HttpResponse> {
  const target = upstreamTarget(exchange.head, plan);
  const taken = upgrade === undefined ? takeBody(exchange, plan.body) : BODILESS;
  if (taken instanceof Promise) {
    return taken.then(({ framing, body }) =>
      new Forwarding(exchange, plan, { target, framing, body, bodyAwaited: true, upgrade }).run()
    );
  }
  const { framing, body } = taken;
  return new Forwarding(exchange, plan, { target, framing, body, bodyAwaited: false, upgrade }).run();
}

/** The part of a request that its attempts have in common, besides exchange and plan. */
type SentRequest = Omit<UpstreamRequest, "exchange" | "plan">;

/** One request that is forwarded. */
class Forwarding implements UpstreamRequest, AttemptListener, HeadSource {
  readonly exchange: Exchange;
  readonly plan: ForwardPlan;
  readonly target: string;
  readonly framing: string;
  readonly body: RequestBody | undefined;
  readonly bodyAwaited: boolean;
  readonly upgrade: UpstreamUpgrade | undefined;
  #retry: Retry | undefined;
  #failedStatus = 502;
  #queueBudget: QueueBudget | undefined;
  /** The attempt whose response is awaited. */
  #attempt: Attempt | undefined;
  /** Lines of its handshake; empty where no upgrade is asked for. */
  #handshake = "";
  /** Resolves the promise of the response; undefined where the exchange takes it without one. */
  #resolve: ((response: HttpResponse | Promise<HttpResponse>) => void) | undefined;

  constructor(exchange: Exchange, plan: ForwardPlan, request: SentRequest) {
    this.exchange = exchange;
    this.plan = plan;
    this.target = request.target;
    this.framing = request.framing;
    this.body = request.body;
    this.bodyAwaited = request.bodyAwaited;
    this.upgrade = request.upgrade;
  }

  /** Makes the attempts. Most exchanges end with the first one, on an idle connection: they take no promise. */
  run(): HttpResponse | Promise<HttpResponse> {
    const { pool, retries } = this.plan;
    pool.retryBudget?.deposit();
    if (retries.retry_on.length > 0) this.#retry = retrying(this);
    const slot = pool.acquire(this.exchange);
    if (slot === undefined) return this.#attempts(undefined);
    const attempt = attemptAt(slot, this, false);
    if (!attempt.takeKept()) return this.#attempts(attempt);
    if (!this.exchange.takesLate) return this.#promised(attempt);
    this.#ask(attempt);
    return LATER;
  }

  get takesPassed(): boolean {
    return this.#resolve === undefined && this.plan.redirects === undefined && this.exchange.takesPassed;
  }

  /** From the attempt: the head of its response has arrived. */
  responded(response: HttpResponse): void {
    lastObjects.forwarding = this;
    const { exchange, plan: { pool, retries } } = this;
    try {
      const cookie = pool.affinity(exchange, (this.#attempt as Attempt).upstream);
      if (cookie !== undefined) exchange.addLine("set-cookie", cookie);
      if (retries.show_attempts) exchange.addLine("x-bws-attempts", String(exchange.attempts));
    } catch (error) {
      return this.failed(error);
    }
    if (this.#resolve === undefined) exchange.respondLate(response);
    else this.#resolve(keepResponse(response));
  }

  /** From the attempt: it has no response. */
  failed(error: unknown): void {
    const response = this.#afterFailure(this.#attempt as Attempt, error);
    if (this.#resolve !== undefined) return this.#resolve(response);
    const { exchange } = this;
    response.then((late) => exchange.respondLate(late), (thrown) => exchange.failLate(thrown));
  }

  /** From the attempt's connection: writes the head of the request to the attempt's upstream. */
  writeHead(out: HeadWriter): void {
    writeUpstreamHead(out, this, (this.#attempt as Attempt).upstream.endpoint, this.#handshake);
  }

  #promised(attempt: Attempt): Promise<HttpResponse> {
    const { promise, resolve } = Promise.withResolvers<HttpResponse>();
    this.#resolve = resolve;
    this.#ask(attempt);
    return promise;
  }

  #ask(attempt: Attempt): void {
    this.#attempt = attempt;
    try {
      if (this.upgrade !== undefined) this.#handshake = this.upgrade.ask();
      attempt.ask(this, this, this.#retry?.shouldRetry);
    } catch (error) {
      this.failed(error);
    }
  }

  /** The next attempts: `first`, if it has a slot already. */
  async #attempts(first: Attempt | undefined): Promise<HttpResponse> {
    const attempt = first ?? await this.#nextAttempt();
    if (first !== undefined || !attempt.takeKept()) {
      const { contender, error } = await this.#connected(attempt);
      this.exchange.upstream = contender.upstream.url;
      return error === undefined ? this.#promised(contender) : this.#afterFailure(contender, error);
    }
    return this.#promised(attempt);
  }

  async #nextAttempt(): Promise<Attempt> {
    const { exchange, plan: { pool, retries }, body } = this;
    for (;;) {
      const slot = this.#retry === undefined ? pool.acquire(exchange) : await this.#retry.acquire();
      if (slot !== undefined) return attemptAt(slot, this, this.#retry?.fresh === true);
      // A wait that begins after the signal was aborted would not be ended by it.
      const { signal } = exchange.client;
      const avoid = this.#retry?.avoid;
      const budget = this.#queueBudget ??= { waitedMs: 0 };
      if (pool.busy(avoid) && !signal.aborted && await pool.waitForRoom(signal, avoid, budget)) continue;
      if (retries.try_for > 0 && !signal.aborted && await (this.#retry ??= retrying(this)).anotherRound()) continue;
      body?.cancel();
      throw noUpstream(exchange, pool, this.#failedStatus);
    }
  }

  // Another attempt, if one may follow.
  async #afterFailure(attempt: Attempt, thrown: unknown): Promise<HttpResponse> {
    const { exchange, body } = this;
    const error = attempt.failed(thrown);
    if (!(error instanceof TransportFailure || error instanceof RetryableResponse)) {
      // A fault in BWS: it does not count against the upstream.
      body?.cancel();
      throw error;
    }
    exchange.attemptFailed(error.message, error instanceof TransportFailure ? error.owner : "upstream");
    this.#failedStatus = error instanceof RetryableResponse ? error.status : statusOf(error);
    const retry = this.#retry ??= retrying(this);
    if (retry.allows(error, attempt)) return await this.#attempts(undefined);
    body?.cancel();
    if (error instanceof RetryableResponse) throw error;
    throw new ForwardFailure(this.#failedStatus, error.message, error.owner);
  }

  #connected(attempt: Attempt): Promise<RaceResult<Attempt>> {
    const { exchange, plan: { pool } } = this;
    return connected(attempt, {
      next: (running) => {
        const another = pool.acquireAnother(exchange, [...running, ...this.#retry?.avoid ?? []]);
        return another && attemptAt(another, this, false);
      },
      lost: (loser, error) => {
        const failure = loser.failed(error);
        if (!(failure instanceof TransportFailure)) return;
        exchange.attemptFailed(failure.message, failure.owner, loser.upstream.url);
        (this.#retry ??= retrying(this)).allows(failure, loser);
      },
      races: pool.races,
    });
  }
}

function retrying({ exchange, plan: { pool, retries }, body }: UpstreamRequest): Retry {
  return new Retry({ exchange, pool, options: retries, body });
}

// The attempt that got a connection, or the last one that failed to get one.
async function connected(first: Attempt, { next, lost, races }: {
  next: (running: readonly Upstream[]) => Attempt | undefined;
  lost: (loser: Attempt, error: unknown) => void;
  races: boolean;
}): Promise<RaceResult<Attempt>> {
  if (races) {
    const running = [first.upstream];
    const race = new DialRace<Attempt>(() => {
      const another = next(running);
      if (another !== undefined) running.push(another.upstream);
      return another;
    }, lost);
    return await race.run(first);
  }
  try {
    await first.connect();
    return { contender: first };
  } catch (error) {
    return { contender: first, error };
  }
}

function attemptAt(slot: Slot, request: UpstreamRequest, fresh: boolean): Attempt {
  const { exchange } = request;
  const { upstream } = slot;
  exchange.attempts++;
  if (exchange.attempts > 1) upstream.metrics?.add(RETRIES);
  exchange.upstream = upstream.url;
  exchange.pool = request.plan.pool.name;
  const attempt = new Attempt(slot, request, fresh);
  attempt.span = exchange.span?.attempt(upstream.endpoint, exchange, request.target);
  return attempt;
}

/**
 * The failure of an exchange for which no upstream is left.
 *
 * @param failedStatus Status that the failure of the last attempt gave.
 */
function noUpstream(exchange: Exchange, pool: Pool, failedStatus: number): ForwardFailure {
  if (exchange.client.signal.aborted) {
    return new ForwardFailure(499, "The client left while it waited for an upstream", "client");
  }
  if (exchange.attempts > 0) {
    return new ForwardFailure(failedStatus, exchange.cause, exchange.causeOwner || "upstream", pool.retryAfterSeconds);
  }
  return new ForwardFailure(503, `No upstream is available: ${pool.shortage}`, "upstream", pool.retryAfterSeconds);
}
