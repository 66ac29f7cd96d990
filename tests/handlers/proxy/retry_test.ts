// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Exchange } from "../../../lib/exchange/exchange.ts";
import { type FailureKind, TransportFailure } from "../../../lib/failure/failure.ts";
import type { RequestBody } from "../../../lib/handlers/proxy/request_body.ts";
import type { RetriesConfig } from "../../../lib/handlers/proxy/config/retries_schema.ts";
import { Retry } from "../../../lib/handlers/proxy/retry.ts";
import { RetryableResponse } from "../../../lib/handlers/proxy/retryable_response.ts";
import type { ResponseHead } from "../../../lib/http1/response_head.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { Pool } from "../../../lib/upstream/pool.ts";
import { RetryBudget } from "../../../lib/upstream/retry_budget.ts";
import { Upstream } from "../../../lib/upstream/upstream.ts";

/** When another round was begun, in milliseconds after the start, by a clock that goes on by timers alone. */
async function roundsWithin(try_for: number, pauses: { backoff: number; max_backoff: number }): Promise<number[]> {
  const { setTimeout: realTimeout } = globalThis;
  const { now } = performance;
  let clockMs = 1000;
  const rounds: number[] = [];
  Object.assign(performance, { now: () => clockMs });
  Object.assign(globalThis, {
    setTimeout: (done: () => void, ms: number) => {
      clockMs += ms;
      return realTimeout(done, 0);
    },
  });
  try {
    const exchange = { startMs: clockMs, client: { signal: new AbortController().signal } } as Exchange;
    const options = { attempts: 3, try_for, retry_on: [], retry_buffer: 0, show_attempts: false, ...pauses };
    const retry = new Retry({ exchange, pool: {} as Pool, options, body: undefined });
    while (await retry.anotherRound()) rounds.push(clockMs - 1000);
    return rounds;
  } finally {
    Object.assign(globalThis, { setTimeout: realTimeout });
    Object.assign(performance, { now });
  }
}

Deno.test("with try_for, the last try is at the limit, whatever the pauses were", async () => {
  for (let run = 0; run < 50; run++) {
    const rounds = await roundsWithin(1000, { backoff: 25, max_backoff: 1000 });
    // Never before it but for rounding; after it by less than a millisecond, since no pause is shorter than that.
    const last = rounds.at(-1) ?? 0;
    assertGreater(last, 1000 - 1e-6);
    assertLess(last, 1001 + 1e-6);
    for (const round of rounds.slice(0, -1)) assertLess(round, 1000);
    assertEquals(rounds.length > 4, true, rounds.join());
  }
});

Deno.test("with try_for shorter than the first pause, there is one more try", async () => {
  assertEquals(await roundsWithin(10, { backoff: 500, max_backoff: 1000 }), [10]);
});

const OPTIONS: RetriesConfig = {
  ...{ attempts: 3, try_for: 0, backoff: 0, max_backoff: 0, show_attempts: false, retry_buffer: 0 },
  retry_on: [[429, 429], [502, 504]],
};

function upstreamAt(port: number): Upstream {
  const url = `http://127.0.0.1:${port}`;
  return new Upstream({
    ...{ url, endpoint: parseEndpoint(url), weight: 1, maxConnections: 0, clock: new CoarseClock() },
    ...{ readTimeoutMs: 1000, writeTimeoutMs: 1000, clientTimeoutMs: 1000, idle_timeout: 1000 },
    ...{ max_idle: 1, maxHeadBytes: 16384 },
  });
}

/** A retry of one exchange over two upstreams, of which the first is picked while it may be. */
function retryOf(
  { method = "GET", body, options, budget }: {
    method?: string;
    body?: { replayable: boolean; rewind(): void };
    options?: Partial<RetriesConfig>;
    budget?: RetryBudget;
  } = {},
) {
  const upstreams = [upstreamAt(1), upstreamAt(2)];
  const pick = (_request: unknown, avoid: readonly Upstream[] = []) => upstreams.find((one) => !avoid.includes(one));
  const pool = new Pool({
    ...{ name: "p", upstreams, retryBudget: budget, connections: { queue_size: 0, queue_timeout: 0 } },
    ...{ passiveHealth: { max_ejected_percent: 50 }, loadBalancing: { when_all_unhealthy: "reject" } },
    createPolicy: () => ({ pick, update: () => {} }),
  });
  const exchange = {
    ...{ head: { method }, startMs: performance.now(), client: { signal: new AbortController().signal }, retries: 0 },
  } as unknown as Exchange;
  const retry = new Retry({
    ...{ exchange, pool, options: { ...OPTIONS, ...options } },
    body: body as unknown as RequestBody | undefined,
  });
  const [first, second] = upstreams;
  const fails = (kind: FailureKind, { upstream = first, reused = false } = {}) =>
    retry.allows(new TransportFailure(kind, ""), { upstream, reused });
  const refuses = (status: number, lines: string[] = [], upstream = first) => {
    const head = { status, headers: lines } as unknown as ResponseHead;
    return retry.shouldRetry(head, upstream) && retry.allows(new RetryableResponse(head), { upstream, reused: false });
  };
  /** Where the next attempt is made. */
  const next = async () => {
    const slot = await retry.acquire();
    slot?.release();
    return slot === undefined ? "nowhere" : slot.upstream === first ? "first" : "second";
  };
  return { retry, exchange, fails, refuses, next, second };
}

for (const kind of ["connect", "connect_timeout", "shortage", "dial_queue"] as const) {
  Deno.test(`Retry.allows() another attempt after ${kind}, of any method and body, and counts none: nothing was sent`, async () => {
    const { fails, next, exchange, retry } = retryOf({
      ...{ method: "POST", body: { replayable: false, rewind: () => {} } },
      ...{ options: { attempts: 1, retry_on: [] }, budget: new RetryBudget({ budget: 0, min_per_second: 0 }) },
    });
    assertEquals([fails(kind), exchange.retries, retry.fresh], [true, 0, false]);
    assertEquals(await next(), "second");
  });
}

Deno.test("Retry.allows() three attempts that fail for what this machine lacks", () => {
  const { fails } = retryOf();
  assertEquals([fails("shortage"), fails("dial_queue"), fails("shortage")], [true, true, false]);
});

Deno.test("Retry.allows() any request on a new connection to the same upstream when a kept one ended before it was used", async () => {
  const { fails, next, exchange, retry } = retryOf({ method: "POST", options: { attempts: 1, retry_on: [] } });
  assertEquals([fails("closed_unused", { reused: true }), exchange.retries, retry.fresh], [true, 0, true]);
  assertEquals(await next(), "first");
});

Deno.test("Retry.allows() an idempotent request once more at the same upstream when a kept connection closed unanswered, then elsewhere", async () => {
  let rewound = 0;
  const body = { replayable: true, rewind: () => void rewound++ };
  const { fails, next, exchange, retry } = retryOf({ method: "PUT", body, options: { attempts: 2, retry_on: [] } });
  assertEquals([fails("closed_unanswered", { reused: true }), exchange.retries, retry.fresh], [true, 0, true]);
  assertEquals(await next(), "first");
  assertEquals([fails("closed_unanswered", { reused: true }), exchange.retries], [true, 1]);
  assertEquals([await next(), rewound], ["second", 2]);
  // Both that it may be sent are spent.
  assertEquals(fails("closed_unanswered"), false);
});

Deno.test("Retry.allows() nothing more once a byte of a request was sent that is not idempotent, or whose body is gone", () => {
  const kinds = ["closed_unanswered", "closed_in_head", "malformed", "read_timeout", "write_timeout"] as const;
  const gone = { replayable: false, rewind: () => {} };
  for (const kind of kinds) {
    assertEquals(retryOf({ method: "POST" }).fails(kind), false, kind);
    assertEquals(retryOf({ method: "PATCH" }).fails(kind, { reused: true }), false, kind);
    assertEquals(retryOf({ method: "PUT", body: gone }).fails(kind), false, kind);
    assertEquals(retryOf({ method: "PUT" }).fails(kind), true, kind);
  }
});

Deno.test("Retry.allows() a failure with a status of retry_on to be retried, and no other, unless there was no response", () => {
  const status: Partial<Record<FailureKind, number>> = {
    ...{ closed_in_head: 502, malformed: 502, read_timeout: 504, write_timeout: 504 },
  };
  for (const [kind, code] of Object.entries(status) as [FailureKind, number][]) {
    assertEquals(retryOf({ options: { retry_on: [[code, code]] } }).fails(kind), true, kind);
    assertEquals(retryOf({ options: { retry_on: [[500, 501], [503, 503]] } }).fails(kind), false, kind);
  }
  assertEquals(retryOf({ options: { retry_on: [] } }).fails("closed_unanswered"), true);
});

Deno.test("Retry.allows() nothing more when the client or the proxy ended it", () => {
  const kinds = ["client_left", "client_timeout", "body_too_large", "dropped"] as const;
  const options = { retry_on: [[400, 599] as const] };
  for (const kind of kinds) assertEquals(retryOf({ options }).fails(kind), false, kind);
});

Deno.test("Retry.allows() as many attempts as may be made, within the budget of the pool", () => {
  const { fails, refuses, exchange } = retryOf();
  assertEquals([fails("closed_unanswered"), refuses(503), refuses(503), exchange.retries], [true, true, false, 2]);
  const budget = new RetryBudget({ budget: 0, min_per_second: 0.1 });
  const one = retryOf({ budget });
  const other = retryOf({ budget });
  assertEquals([one.fails("read_timeout"), other.refuses(503), other.exchange.retries], [true, false, 0]);
});

Deno.test("Retry.shouldRetry() takes statuses of retry_on, of idempotent requests whose body is kept, and rewinds that", async () => {
  let rewound = 0;
  const body = (replayable: boolean) => ({ replayable, rewind: () => void rewound++ });
  const { refuses, next } = retryOf({ method: "PUT", body: body(true) });
  assertEquals([refuses(200), refuses(404), refuses(500), rewound], [false, false, false, 0]);
  assertEquals([refuses(503), rewound, await next()], [true, 1, "second"]);
  assertEquals(retryOf({ method: "POST" }).refuses(503), false);
  assertEquals(retryOf({ method: "PUT", body: body(false) }).refuses(503), false);
});

Deno.test("Retry.shouldRetry() takes 429 with a time that is short enough alone, and 503 with a long one while there is another upstream", () => {
  const after = (seconds: number) => ["retry-after", `${seconds}`];
  const rules = { options: { max_backoff: 2000 } };
  assertEquals(retryOf(rules).refuses(429), false);
  assertEquals(retryOf(rules).refuses(429, after(3)), false);
  assertEquals(retryOf(rules).refuses(429, after(2)), true);
  const { refuses, fails, second } = retryOf(rules);
  assertEquals(fails("connect", { upstream: second }), true);
  assertEquals(refuses(503, after(3)), false);
  assertEquals(refuses(503, after(2)), true);
  assertEquals(retryOf(rules).refuses(503, after(3)), true);
});

Deno.test("Retry.acquire() goes back to upstreams that had the request once all of them had it, and not to those out of reach", async () => {
  const { fails, next, second } = retryOf({ options: { attempts: 9 } });
  assertEquals([fails("read_timeout"), await next()], [true, "second"]);
  assertEquals([fails("connect", { upstream: second }), await next()], [true, "first"]);
  assertEquals([fails("connect"), await next()], [true, "nowhere"]);
});

Deno.test("Retry.acquire() gives nothing once the client has left", async () => {
  const { retry, refuses, exchange, next, second } = retryOf({ options: { backoff: 60_000, max_backoff: 60_000 } });
  const leaving = new AbortController();
  Object.assign(exchange.client, { signal: leaving.signal });
  assertEquals([refuses(503), refuses(503, [], second)], [true, true]);
  leaving.abort();
  assertEquals([await next(), await retry.anotherRound()], ["nowhere", false]);
});
