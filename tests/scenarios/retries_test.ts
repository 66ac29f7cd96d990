// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { until, within } from "../support/condition.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, post } from "../support/raw_client.ts";
import { deadPort, replying } from "../support/replying_upstream.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const quick = { backoff: 0, show_attempts: true };
const passive_health = { enabled: false };

for (const [method, times] of Object.entries({ GET: 3, HEAD: 3, PUT: 3, DELETE: 3, OPTIONS: 3, POST: 1, PATCH: 1 })) {
  Deno.test(`${method} is sent ${times} times to upstreams that close unanswered`, async () => {
    await using upstream = replying("close");
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { retries: quick } });
    const got = await exchange(proxy.port, `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`, method);
    assertEquals([statusOf(got), header(got, "x-bws-attempts")], [502, String(times)]);
    assertEquals(upstream.requests.map(({ firstLine }) => firstLine), Array(times).fill(`${method} / HTTP/1.1`));
  });
}

Deno.test("attempts is the most times that a request is sent", async () => {
  for (const attempts of [1, 2, 5]) {
    await using upstream = replying("close");
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      proxy: { retries: { ...quick, attempts } },
    });
    assertEquals(statusOf(await exchange(proxy.port, get("/"))), 502);
    assertEquals(upstream.requests.length, attempts);
  }
});

Deno.test("a request is not sent to the same upstream again while there is another", async () => {
  await using bad = replying("close");
  await using good = replying(answerOf("good"));
  await using proxy = await RunningProxy.start({
    upstreams: [bad.url, good.url],
    proxy: { retries: { ...quick, attempts: 2 }, passive_health },
  });
  for (let round = 0; round < 20; round++) assertEquals(statusOf(await exchange(proxy.port, get(`/${round}`))), 200);
  const tried = bad.requests.map(({ firstLine }) => firstLine);
  assertGreater(tried.length, 0);
  assertEquals(new Set(tried).size, tried.length);
});

Deno.test("an upstream is tried again after a pause, twice as long each time up to a bound", async () => {
  const arrivals: number[] = [];
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (await peer.request() !== undefined) arrivals.push(performance.now());
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { retries: { attempts: 5, backoff: "20ms", max_backoff: "80ms" } },
  });
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 502);
  const gaps = arrivals.slice(1).map((ms, i) => ms - arrivals[i]);
  assertEquals(gaps.length, 4);
  // At least half of each pause; the other half is left to chance.
  for (const [i, leastMs] of [10, 20, 40, 40].entries()) assertGreaterOrEqual(gaps[i], leastMs - 1);
});

Deno.test("with try_for, requests wait for the only upstream while it cannot be reached, POST included", async () => {
  const port = deadPort();
  await using proxy = await RunningProxy.start({
    upstreams: [`http://127.0.0.1:${port}`],
    proxy: { retries: { ...quick, try_for: "20s", backoff: "5ms", max_backoff: "20ms" } },
  });
  const kept = [exchange(proxy.port, get("/")), exchange(proxy.port, post("/", "order"))];
  await until("both are under way", () => proxy.generation.underWay === 2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await using upstream = ScriptedUpstream.on(
    Deno.listen({ hostname: "127.0.0.1", port }),
    (peer) => peer.serve((request) => answerOf(text(request.body) || "none")),
  );
  const answers = await within(15_000, "both answers", Promise.all(kept));
  assertEquals(answers.map((got) => [statusOf(got), text(got.body)]), [[200, "none"], [200, "order"]]);
  for (const got of answers) assertGreater(Number(header(got, "x-bws-attempts")), 1);
  assertEquals(upstream.requests.length, 2);
});

Deno.test("with try_for, a request that waited in vain gets 502, and not before", async () => {
  await using proxy = await RunningProxy.start({
    upstreams: [`http://127.0.0.1:${deadPort()}`],
    proxy: { retries: { try_for: "200ms", backoff: "10ms", max_backoff: "20ms" } },
  });
  const startMs = performance.now();
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 502);
  assertGreaterOrEqual(performance.now() - startMs, 200 - 2);
});

Deno.test("with try_for, a client that leaves is not waited for", async () => {
  await using proxy = await RunningProxy.start({
    upstreams: [`http://127.0.0.1:${deadPort()}`],
    proxy: { retries: { try_for: "60s" } },
  });
  const leaving = new AbortController();
  const gone = fetch(`http://127.0.0.1:${proxy.port}/`, { signal: leaving.signal }).catch(() => "gone");
  await until("it is under way", () => proxy.generation.underWay === 1);
  leaving.abort();
  assertEquals(await gone, "gone");
  await proxy.idle(5000);
});

Deno.test("retries of a pool whose upstreams all fail stay within their share", async () => {
  await using first = replying("close");
  await using second = replying("close");
  const budget = 0.1;
  await using proxy = await RunningProxy.start({
    upstreams: [first.url, second.url],
    proxy: { retries: { ...quick, attempts: 5, budget, min_per_second: 1 }, passive_health },
  });
  const startMs = performance.now();
  const requests = 300;
  for (let i = 0; i < requests; i++) assertEquals(statusOf(await exchange(proxy.port, get("/"))), 502);
  const seconds = (performance.now() - startMs) / 1000;
  const retries = first.requests.length + second.requests.length - requests;
  // What is saved up at the start is ten seconds of the least.
  assertLessOrEqual(retries, requests * budget + 10 + seconds + 1);
  assertGreaterOrEqual(retries, requests * budget);
});

Deno.test("without a budget nothing is retried, but on a kept connection that closed", async () => {
  let answers = true;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (await peer.request() === undefined || !answers) return;
    await peer.send(answerOf("ok"));
    await peer.request();
  });
  const retries = { ...quick, budget: 0, min_per_second: 0 };
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { retries } });
  const told = async () => {
    const got = await exchange(proxy.port, get("/"));
    return [statusOf(got), header(got, "x-bws-attempts")];
  };
  assertEquals(await told(), [200, "1"]);
  assertEquals(await told(), [200, "2"]);
  answers = false;
  // The kept connection, a new one, and then no more.
  assertEquals(await told(), [502, "2"]);
});

Deno.test("the access line names each failed attempt, its upstream and its cause", async () => {
  await using bad = replying("close");
  await using good = replying(answerOf("good"));
  const dead = `http://127.0.0.1:${deadPort()}`;
  await using proxy = await LoggedProxy.start({
    upstreams: [dead, bad.url, good.url],
    proxy: { retries: quick, load_balancing: { method: "first" } },
  });
  const got = await exchange(proxy.port, get("/once"));
  assertEquals([statusOf(got), header(got, "x-bws-attempts")], [200, "3"]);
  const line = await proxy.accessLine("/once");
  assertEquals([line.status, line.attempts, line.upstream], [200, 3, good.url]);
  const failures = line.failed_attempts as string[];
  assertEquals(failures.length, 2);
  assert(failures[0].startsWith(`${dead}: Cannot connect`), failures[0]);
  assert(failures[1].startsWith(`${bad.url}: The upstream closed the connection`), failures[1]);
  assertEquals(statusOf(await exchange(proxy.port, post("/order", "x"))), 502);
  assertEquals((await proxy.accessLine("/order")).attempts, 2);
});
