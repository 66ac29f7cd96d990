// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MemoryRateStore } from "../../lib/features/rate_limit/rate_store.ts";
import { parseRate, rateLimitKeys } from "../../lib/features/rate_limit/rate_limit_schema.ts";
import type { RateLimitInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { LocalState } from "../../lib/state/shared_state.ts";

const options = (rate: string, burst: number, maxKeys = 64) => ({ ...parseRate(rate), burst, maxKeys });

/** How many of `count` requests at each of these times are let through. */
function allowed(store: MemoryRateStore, count: number, times: number[], key = "a"): number[] {
  return times.map((nowMs) =>
    Array.from({ length: count }, () => store.take(key, nowMs)).filter((one) => one.allowed).length
  );
}

Deno.test("MemoryRateStore lets a burst through, and then the rate", () => {
  const store = new MemoryRateStore(options("5/s", 10), new LocalState(), "x");
  assertEquals(allowed(store, 20, [1000, 1200, 1400, 2400, 60_000]), [10, 1, 1, 5, 10]);
  const { remaining, retryMs, resetMs } = store.take("b", 60_000);
  assertEquals([remaining, retryMs, resetMs], [9, 0, 200]);
  const last = Array.from({ length: 10 }, () => store.take("b", 60_000)).at(-1);
  assertEquals([last?.allowed, last?.remaining, last?.retryMs, last?.resetMs], [false, 0, 200, 2000]);
});

Deno.test("MemoryRateStore agrees with a token bucket on random requests", () => {
  const store = new MemoryRateStore(options("7/s", 3), new LocalState(), "x");
  let tokens = 3;
  let lastMs = 0;
  let nowMs = 0;
  for (let i = 0; i < 5000; i++) {
    nowMs += Math.floor(Math.random() * 300);
    tokens = Math.min(3, tokens + (nowMs - lastMs) * 7 / 1000);
    lastMs = nowMs;
    const { allowed } = store.take("a", nowMs);
    // Times are kept in sixteenths of a millisecond: about a whole token, both are right.
    const rest = tokens - 1;
    if (Math.abs(rest) > 0.02) assertEquals(allowed, rest >= 0, `at ${nowMs}, ${tokens} tokens`);
    if (allowed) tokens = Math.max(0, tokens - 1);
  }
});

Deno.test("MemoryRateStore holds bursts that take days to come back, and the quickest rates", () => {
  for (
    const [rate, burst] of [["1/h", 500], ["1/d", 1_000_000], ["100000/s", 1_000_000], ["1/s", 1_000_000]] as const
  ) {
    const store = new MemoryRateStore(options(rate, burst), new LocalState(), "x");
    let count = 0;
    while (count <= burst && store.take("a", 5000).allowed) count++;
    assertEquals(count, burst, rate);
    const { requests, periodMs } = parseRate(rate);
    const intervalMs = Math.ceil(1.01 * periodMs / requests);
    assertEquals(store.take("a", 5000 + intervalMs).allowed, true, rate);
  }
});

Deno.test("MemoryRateStore counts together with other workers on one table, across the wrap of its times", () => {
  const state = new LocalState();
  const [one, two] = [1, 2].map(() => new MemoryRateStore(options("1/s", 4), state, "x"));
  const wrapMs = 2 ** 32 / 16;
  assertEquals([one, two, one].map((store) => allowed(store, 2, [wrapMs - 500])[0]), [2, 2, 0]);
  assertEquals(allowed(two, 4, [wrapMs + 600])[0], 1);
  // So late that the times have come round.
  assertEquals(allowed(one, 9, [2 * wrapMs + 100])[0], 4);
});

Deno.test("MemoryRateStore is exact over workers whose clocks differ", () => {
  const state = new LocalState();
  const [one, two] = [1, 2].map(() => new MemoryRateStore(options("20/s", 20), state, "x"));
  let count = 0;
  // Two workers, the clock of one 7 ms behind, and more requests than are let through, for 5 seconds.
  for (let nowMs = 1000; nowMs < 6000; nowMs++) {
    if (one.take("a", nowMs).allowed) count++;
    if (two.take("a", nowMs - 7).allowed) count++;
  }
  assert(count >= 119 && count <= 120, `${count} were let through`);
});

Deno.test("MemoryRateStore is bounded: of many keys the idle ones are forgotten, and those in use are kept", () => {
  const store = new MemoryRateStore(options("1/s", 2, 64), new LocalState(), "x");
  for (let i = 0; i < 10_000; i++) store.take(`key ${i}`, 1000);
  // Each key in use survives some strangers: those that are full again go first.
  assertEquals(allowed(store, 3, [10_000], "mine"), [2]);
  for (let i = 0; i < 4; i++) store.take(`other ${i}`, 10_000);
  assertEquals(allowed(store, 3, [10_000], "mine"), [0]);
});

/** Statuses and fields of requests to a site with a limit. */
async function ask(table: RateLimitInput, requests: { headers?: Record<string, string>; address?: string }[]) {
  const handler = createHandler({ sites: [{ static_dir: "tests/www", rate_limit: table }] });
  try {
    const got = [];
    for (const { headers = {}, address = "192.0.2.1" } of requests) {
      const info = { remoteAddr: { transport: "tcp", hostname: address, port: 1 } } as Deno.ServeHandlerInfo;
      const response = await handler(new Request("http://localhost/", { headers }), info);
      await response.body?.cancel();
      got.push(response);
    }
    return got;
  } finally {
    await handler.close();
  }
}

const statuses = (responses: Response[]) => responses.map(({ status }) => status);

Deno.test("rate_limit answers 429 with the fields of the limit, to each address by itself", async () => {
  const responses = await ask({ rate: "1/h", burst: 2 }, [{}, {}, {}, { address: "192.0.2.2" }]);
  assertEquals(statuses(responses), [200, 200, 429, 200]);
  const [first, , refused] = responses;
  assertEquals(first.headers.get("ratelimit-policy"), '"default";q=2;w=7200');
  assertEquals(first.headers.get("ratelimit"), '"default";r=1;t=3600');
  const retry = Number(refused.headers.get("retry-after"));
  assert(retry > 3500 && retry <= 3600, `${retry}`);
  assertEquals(refused.headers.get("ratelimit")?.startsWith('"default";r=0;t='), true);
});

Deno.test("rate_limit counts IPv6 by /64, header fields and cookies by value, and routes for all", async () => {
  const address = (value: string) => ({ address: value });
  const limit = { rate: "1/h", burst: 1 };
  assertEquals(statuses(await ask(limit, ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(address))), [
    200,
    429,
    200,
  ]);
  const key = (value: string) => ({ headers: { "x-key": value } });
  assertEquals(statuses(await ask({ ...limit, key: "header:X-Key" }, [key("a"), key("b"), key("a"), {}, {}])), [
    ...[200, 200, 429, 200, 429],
  ]);
  const cookie = (value: string) => ({ headers: { cookie: value } });
  assertEquals(statuses(await ask({ ...limit, key: "cookie:s" }, [cookie("s=1"), cookie("a=b; s=1"), cookie("s=2")])), [
    ...[200, 429, 200],
  ]);
  assertEquals(statuses(await ask({ ...limit, key: "route" }, [{}, address("192.0.2.2")])), [200, 429]);
});

Deno.test("rate_limit spares exempt networks, a dry run, and those where it is not enabled", async () => {
  const limit = { rate: "1/h", burst: 1 };
  for (const more of [{ exempt: ["192.0.2.0/24"] }, { dry_run: true }, { enabled: false }]) {
    assertEquals(statuses(await ask({ ...limit, ...more }, [{}, {}])), [200, 200]);
  }
});

Deno.test("rate_limit takes rates with a unit alone", () => {
  for (const rate of ["5/s", "0.5/s", "100/m", "10/30s", "1/d"]) {
    assert(rateLimitKeys.safeParse({ rate }).success, rate);
  }
  for (const rate of ["5", "5/x", "0/s", "-1/s", "5r/s", "1000000/s", "1/7d"]) {
    assert(!rateLimitKeys.safeParse({ rate }).success, rate);
  }
});
