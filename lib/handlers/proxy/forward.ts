/**
 * The attempt loop of a forwarded request: attempts are made until one has a response or no further one is allowed. A
 * WebSocket handshake takes the same loop; its connection may be upgraded at the end.
 *
 * @module
 */

import type { HttpResponse } from "../../http/message.ts";
import type { Pool } from "../../upstream/pool.ts";
import { DialRace, type RaceResult } from "../../upstream/dial_race.ts";
import type { Slot } from "../../upstream/upstream.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { RETRIES } from "../../upstream/upstream_metrics.ts";
import type { QueueBudget } from "../../upstream/request_queue.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { RetryableResponse } from "./retryable_response.ts";
import { Attempt } from "./attempt.ts";
import type { AttemptLimits } from "./attempt_limits.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { ForwardFailure, statusOf } from "./forward_failure.ts";
import type { RequestHeaders } from "./request_headers.ts";
import type { ResponseRules } from "./response_headers.ts";
import type { ProxyConfig } from "./config/proxy_schema.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";
import { Retry } from "./retry.ts";
import { BODILESS, takeBody } from "./body_framing.ts";
import type { BodyRules } from "./request_body.ts";
import { upstreamHead, type UpstreamRequest, upstreamTarget } from "./upstream_request.ts";
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
 * Forwards one request.
 *
 * @param upgrade The upgrade that the upstream is asked for; the request has no body then.
 * @throws {ForwardFailure} With the status for the client.
 */
export async function forward(
  exchange: Exchange,
  plan: ForwardPlan,
  upgrade?: UpstreamUpgrade,
): Promise<HttpResponse> {
  const { pool, retries } = plan;
  const target = upstreamTarget(exchange.head, plan);
  const taken = upgrade === undefined ? takeBody(exchange, plan.body) : BODILESS;
  const { framing, body } = taken instanceof Promise ? await taken : taken;
  const request: UpstreamRequest = { exchange, plan, target, framing, body, upgrade };
  pool.retryBudget?.deposit();
  let retry = retries.retry_on.length === 0 ? undefined : retrying(request);
  let failedStatus = 502;
  let queueBudget: QueueBudget | undefined;
  for (;;) {
    const slot = retry === undefined ? pool.acquire(exchange) : await retry.acquire();
    if (slot === undefined) {
      // A wait that begins after the signal was aborted would not be ended by it.
      const { signal } = exchange.client;
      const avoid = retry?.avoid;
      queueBudget ??= { waitedMs: 0 };
      if (pool.busy(avoid) && !signal.aborted && await pool.waitForRoom(signal, avoid, queueBudget)) continue;
      if (retries.try_for > 0 && !signal.aborted && await (retry ??= retrying(request)).anotherRound()) {
        continue;
      }
      body?.cancel();
      throw noUpstream(exchange, pool, failedStatus);
    }
    let attempt = attemptAt(slot, request, retry?.fresh === true);
    try {
      if (!attempt.takeKept()) {
        const { contender, error } = await connected(attempt, {
          next: (running) => {
            const another = pool.acquireAnother(exchange, [...running, ...retry?.avoid ?? []]);
            return another && attemptAt(another, request, false);
          },
          lost: (loser, error) => {
            const failure = loser.failed(error);
            if (!(failure instanceof TransportFailure)) return;
            exchange.attemptFailed(failure.message, failure.owner, loser.upstream.url);
            retry ??= retrying(request);
            retry.allows(failure, loser);
          },
          races: pool.races,
        });
        attempt = contender;
        exchange.upstream = attempt.upstream.url;
        if (error !== undefined) throw error;
      }
      const { upstream } = attempt;
      const text = upstreamHead(request, upstream.endpoint, upgrade?.ask());
      const response = await attempt.ask(text, retry?.shouldRetry);
      const cookie = pool.affinity(exchange, upstream);
      if (cookie !== undefined) exchange.addLine("set-cookie", cookie);
      if (retries.show_attempts) exchange.addLine("x-bws-attempts", String(exchange.attempts));
      return response;
    } catch (thrown) {
      const error = attempt.failed(thrown);
      if (!(error instanceof TransportFailure || error instanceof RetryableResponse)) {
        // A fault in BWS: it does not count against the upstream.
        body?.cancel();
        throw error;
      }
      exchange.attemptFailed(error.message, error instanceof TransportFailure ? error.owner : "upstream");
      failedStatus = error instanceof RetryableResponse ? error.status : statusOf(error);
      retry ??= retrying(request);
      if (retry.allows(error, attempt)) continue;
      body?.cancel();
      if (error instanceof RetryableResponse) throw error;
      throw new ForwardFailure(failedStatus, error.message, error.owner);
    }
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
