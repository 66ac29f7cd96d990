/**
 * Forwarding: attempts are made until one gives an answer or none may be made any more.
 *
 * @module
 */

import type { HttpResponse, RequestHead } from "../../http/message.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import type { Pool } from "../../upstream/pool.ts";
import { DialRace, type RaceResult } from "../../upstream/dial_race.ts";
import type { Slot } from "../../upstream/slot.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { RETRIES } from "../../upstream/upstream_metrics.ts";
import type { QueueBudget } from "../../upstream/request_queue.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { RetryableResponse } from "./retryable_response.ts";
import { Attempt, type AttemptLimits } from "./attempt.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { ForwardFailure, statusOf } from "./forward_failure.ts";
import type { RequestBody, RequestBodyLimits } from "./request_body.ts";
import type { RequestHeaders } from "./request_headers.ts";
import type { ResponseRules } from "./response_headers.ts";
import { Retry, type RetryOptions } from "./retry.ts";
import { takeBody } from "./taken_body.ts";

/** How the requests of one route are forwarded; built once. */
export interface ForwardPlan extends ResponseRules {
  /** Where they go. */
  readonly pool: Pool;
  /** The path upstream for a path of the client's, or undefined when it would leave the route's folder. */
  readonly rewrite: ((path: string) => string | undefined) | undefined;
  /** Whether the client's Host goes upstream. */
  readonly preserveHost: boolean;
  /** Request header rules. */
  readonly requestHeaders: RequestHeaders;
  /** Path that is taken away before the upstream sees the request's, without a slash at its end; or empty. */
  readonly forwardedPrefix: string;
  /** Bounds of request bodies. */
  readonly body: RequestBodyLimits;
  /** How requests are tried again. */
  readonly retries: RetryOptions;
  /** How long an attempt may take. */
  readonly limits: AttemptLimits;
}

/**
 * Forwards one request.
 *
 * @throws {ForwardFailure} With the status for the client.
 */
export async function forward(exchange: Exchange, plan: ForwardPlan): Promise<HttpResponse> {
  const { head } = exchange;
  const { pool, retries } = plan;
  const target = upstreamTarget(head, plan);
  const taken = takeBody(exchange, plan.body);
  const { framing, body } = taken instanceof Promise ? await taken : taken;
  pool.retryBudget?.deposit();
  let retry = retries.retryOn.length === 0 ? undefined : retrying(exchange, plan, body);
  let failedStatus = 502;
  let queueBudget: QueueBudget | undefined;
  for (;;) {
    const slot = retry === undefined ? pool.acquire(exchange) : await retry.acquire();
    if (slot === undefined) {
      // A signal that has fired already would not end the wait.
      const { signal } = exchange.client;
      const avoid = retry?.avoid;
      queueBudget ??= { waitedMs: 0 };
      if (pool.busy(avoid) && !signal.aborted && await pool.waitForRoom(signal, avoid, queueBudget)) continue;
      if (retries.tryForMs > 0 && !signal.aborted && await (retry ??= retrying(exchange, plan, body)).anotherRound()) {
        continue;
      }
      body?.cancel();
      throw noUpstream(exchange, pool, failedStatus);
    }
    const start = (at: Slot, fresh: boolean) => attemptAt(at, exchange, { plan, body, target, fresh });
    let attempt = start(slot, retry?.fresh === true);
    try {
      if (!attempt.takeKept()) {
        const { contender, error } = await connected(attempt, {
          next: (running) => {
            const another = pool.acquireAnother(exchange, [...running, ...retry?.avoid ?? []]);
            return another && start(another, false);
          },
          lost: (loser, error) => {
            const failure = loser.failed(error);
            if (!(failure instanceof TransportFailure)) return;
            exchange.attemptFailed(failure.message, failure.owner, loser.upstream.url);
            retry ??= retrying(exchange, plan, body);
            retry.allows(failure, loser, loser.upstream);
          },
          races: pool.races,
        });
        attempt = contender;
        exchange.upstream = attempt.upstream.url;
        if (error !== undefined) throw error;
      }
      const { upstream } = attempt;
      const text = upstreamHead(exchange, plan, upstream.endpoint, target, framing);
      const answer = attempt.answer(await attempt.send(text), plan, retry?.shouldRetry);
      const cookie = pool.affinity(exchange, upstream);
      if (cookie !== undefined) answer.headers.push("set-cookie", cookie);
      if (retries.showAttempts) answer.headers.push("x-bws-attempts", String(exchange.attempts));
      return answer;
    } catch (thrown) {
      const error = attempt.failed(thrown);
      if (!(error instanceof TransportFailure || error instanceof RetryableResponse)) {
        // A mistake of our own, and not to be blamed on an upstream.
        body?.cancel();
        throw error;
      }
      exchange.attemptFailed(error.message, error instanceof TransportFailure ? error.owner : "upstream");
      failedStatus = error instanceof RetryableResponse ? error.status : statusOf(error);
      retry ??= retrying(exchange, plan, body);
      if (retry.allows(error, attempt, attempt.upstream)) continue;
      body?.cancel();
      if (error instanceof RetryableResponse) throw error;
      throw new ForwardFailure(failedStatus, error.message, error.owner);
    }
  }
}

/**
 * Path and query of the request that goes upstream, without an upstream's base path.
 *
 * @throws {ForwardFailure} When the path would leave the route.
 */
export function upstreamTarget(head: RequestHead, plan: ForwardPlan): string {
  const path = plan.rewrite === undefined ? head.path : plan.rewrite(head.path);
  if (path === undefined) {
    throw new ForwardFailure(400, "The path has dot segments that leave the route", "client");
  }
  // The runtime makes `/*` of the asterisk, which stands for the server as a whole (RFC 9110, section 9.3.7).
  if (head.method === "OPTIONS" && head.path === "/*" && head.query === "") return ASTERISK;
  return path + head.query;
}

/** The head of the request that goes to an upstream, as text. */
export function upstreamHead(
  exchange: Exchange,
  plan: ForwardPlan,
  endpoint: Endpoint,
  target: string,
  framing: string,
  upgrade = "",
): string {
  const host = plan.preserveHost ? exchange.head.authority : endpoint.authority;
  const path = target === ASTERISK ? target : endpoint.basePath + target;
  return plan.requestHeaders.build(exchange, path, host, framing, plan.forwardedPrefix, upgrade);
}

const ASTERISK = "*";

function retrying(exchange: Exchange, { pool, retries }: ForwardPlan, body: RequestBody | undefined): Retry {
  return new Retry({ exchange, pool, options: retries, body });
}

// The attempt that has a connection, or the last that failed to get one.
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

function attemptAt(
  slot: Slot,
  exchange: Exchange,
  { plan, body, target, fresh }: { plan: ForwardPlan; body: RequestBody | undefined; target: string; fresh: boolean },
): Attempt {
  const { upstream } = slot;
  exchange.attempts++;
  if (exchange.attempts > 1) upstream.metrics?.add(RETRIES);
  exchange.upstream = upstream.url;
  const attempt = new Attempt(slot, { exchange, body, limits: plan.limits, fresh });
  attempt.span = exchange.span?.attempt(upstream.endpoint, exchange, target);
  return attempt;
}

/** Whether another upstream may be tried: no byte was sent, so no byte can have been acted on. */
export function retryableElsewhere({ kind }: TransportFailure): boolean {
  return kind === "connect" || kind === "connect_timeout" || kind === "shortage" || kind === "dial_queue";
}

/**
 * The failure of an exchange for which no upstream is left.
 *
 * @param failedStatus What the last attempt, if there was one, came to.
 */
export function noUpstream(exchange: Exchange, pool: Pool, failedStatus = 502): ForwardFailure {
  if (exchange.client.signal.aborted) {
    return new ForwardFailure(499, "The client left while it waited for an upstream", "client");
  }
  if (exchange.attempts > 0) {
    return new ForwardFailure(failedStatus, exchange.cause, exchange.causeOwner || "upstream", pool.retryAfterSeconds);
  }
  return new ForwardFailure(503, `No upstream is available: ${pool.shortage}`, "upstream", pool.retryAfterSeconds);
}
