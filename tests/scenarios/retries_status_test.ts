// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { until } from "../support/condition.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, post, RawClient } from "../support/raw_client.ts";
import { replying, statusAnswer } from "../support/replying_upstream.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const retries = { retry_on: [500, 502, 503, 504, 429], backoff: 0, max_backoff: "1s", show_attempts: true };
const proxied = { retries, passive_health: { enabled: false } };
const good = answerOf("good");

for (const status of [500, 502, 503, 504]) {
  Deno.test(`a response of ${status} in retry_on is retried, and one outside it is not`, async () => {
    await using upstream = replying(statusAnswer(status, "bad"), good);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
    const got = await exchange(proxy.port, get("/"));
    assertEquals([statusOf(got), text(got.body), header(got, "x-bws-attempts")], [200, "good", "2"]);
    await using other = replying(statusAnswer(status, "bad"), good);
    const retry_on = [500, 502, 503, 504].filter((one) => one !== status);
    await using plain = await RunningProxy.start({ upstreams: [other.url], proxy: { retries: { retry_on } } });
    const told = await exchange(plain.port, get("/"));
    assertEquals([statusOf(told), text(told.body), header(told, "x-bws-attempts")], [status, "bad", undefined]);
  });
}

Deno.test("the last response is passed on as it is when no attempt is left", async () => {
  await using upstream = replying(
    statusAnswer(503, "one"),
    statusAnswer(503, "two"),
    statusAnswer(500, "three", "X: y\r\n"),
  );
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
  const got = await exchange(proxy.port, get("/"));
  assertEquals([statusOf(got), text(got.body), header(got, "x"), got.whole], [500, "three", "y", true]);
  assertEquals(upstream.requests.length, 3);
});

Deno.test("a POST gets whatever its one attempt got", async () => {
  await using upstream = replying(statusAnswer(503, "bad"), good);
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
  const got = await exchange(proxy.port, post("/", "order"));
  assertEquals([statusOf(got), text(got.body), upstream.requests.length], [503, "bad", 1]);
});

Deno.test("503 with Retry-After: the same upstream is left alone for so long", async () => {
  await using upstream = replying(statusAnswer(503, "", "Retry-After: 1\r\n"), good);
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
  const startMs = performance.now();
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 200);
  assertGreaterOrEqual(performance.now() - startMs, 999);
});

Deno.test("503 with Retry-After: another upstream is asked at once", async () => {
  const bad = statusAnswer(503, "", "Retry-After: 30\r\n");
  await using resting = replying(bad);
  await using other = replying(good);
  await using proxy = await RunningProxy.start({
    upstreams: [resting.url, other.url],
    proxy: { ...proxied, load_balancing: { method: "first" } },
  });
  const startMs = performance.now();
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "good");
  assertLess(performance.now() - startMs, 15_000);
  assertEquals([resting.requests.length, other.requests.length], [1, 1]);
});

Deno.test("503 whose Retry-After is longer than the proxy's patience is passed on", async () => {
  await using upstream = replying(statusAnswer(503, "later", "Retry-After: 120\r\n"), good);
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
  const got = await exchange(proxy.port, get("/"));
  assertEquals([statusOf(got), header(got, "retry-after"), upstream.requests.length], [503, "120", 1]);
});

Deno.test("429 is retried when it says when, and passed on when it does not", async () => {
  await using timed = replying(statusAnswer(429, "", "Retry-After: 0\r\n"), good);
  await using proxy = await RunningProxy.start({ upstreams: [timed.url], proxy: proxied });
  assertEquals([statusOf(await exchange(proxy.port, get("/"))), timed.requests.length], [200, 2]);
  await using untimed = replying(statusAnswer(429, "no"), good);
  await using other = await RunningProxy.start({ upstreams: [untimed.url], proxy: proxied });
  const got = await exchange(other.port, get("/"));
  assertEquals([statusOf(got), text(got.body), untimed.requests.length], [429, "no", 1]);
});

Deno.test("504 in retry_on: a silent upstream's GET goes to another, its POST does not", async () => {
  await using silent = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using other = replying(good);
  await using proxy = await RunningProxy.start({
    upstreams: [silent.url, other.url],
    proxy: { ...proxied, timeout: { read: "700ms" }, load_balancing: { method: "first" } },
  });
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "good");
  assertEquals(statusOf(await exchange(proxy.port, post("/", "order"))), 504);
  assertEquals([silent.requests.length, other.requests.length], [2, 1]);
});

const SMALL = 10_000;
const LARGE = 1_000_000;

function pattern(bytes: number): string {
  return Array.from({ length: bytes }, (_, i) => String.fromCharCode(33 + (i * 7 + (i >> 8)) % 90)).join("");
}

function put(body: string, chunked: boolean): string {
  const head = "PUT / HTTP/1.1\r\nHost: a\r\n";
  if (!chunked) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunks: string[] = [];
  for (let at = 0; at < body.length; at += 3000) {
    const chunk = body.slice(at, at + 3000);
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  }
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`;
}

for (const chunked of [false, true]) {
  const kind = chunked ? "chunked PUT" : "PUT";
  for (const reply of ["close", statusAnswer(503, "bad")]) {
    const fault = reply === "close" ? "a close" : "503";
    Deno.test(`a ${kind} of 10 KB is sent again byte for byte after ${fault}`, async () => {
      await using upstream = replying(reply, reply, good);
      await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
      const body = pattern(SMALL);
      const got = await exchange(proxy.port, put(body, chunked));
      assertEquals([statusOf(got), header(got, "x-bws-attempts")], [200, "3"]);
      for (const request of upstream.requests) assertEquals([text(request.body) === body, request.whole], [true, true]);
    });
  }

  Deno.test(`a ${kind} of 1 MB is not kept, and fails cleanly`, async () => {
    await using upstream = replying("close", statusAnswer(503, "bad"), good);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
    const bytes = put(pattern(LARGE), chunked);
    assertEquals(statusOf(await exchange(proxy.port, bytes)), 502);
    const second = await exchange(proxy.port, bytes);
    assertEquals([statusOf(second), text(second.body)], [503, "bad"]);
    assertEquals(upstream.requests.map(({ whole }) => whole), [true, true]);
  });
}

Deno.test("a PUT whose body is still coming is sent again with what has come and what comes", async () => {
  const arrived = Promise.withResolvers<void>();
  let turn = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (turn++ > 0) return await peer.serve(() => good);
    await peer.head();
    arrived.resolve();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: proxied });
  using client = await RawClient.connect(proxy.port);
  const body = pattern(SMALL);
  await client.send(put(body, false).slice(0, -SMALL / 2));
  await arrived.promise;
  await until("the first connection is gone", () => upstream.connections === 2);
  await client.send(body.slice(SMALL / 2));
  assertEquals(statusOf(await client.answer()), 200);
  assertEquals(text(upstream.requests[1].body), body);
});
