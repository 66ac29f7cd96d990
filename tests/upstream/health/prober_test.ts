// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import type { LogLevel } from "../../../lib/log/log.ts";
import { Prober, type ProberOptions } from "../../../lib/upstream/health/prober.ts";
import type { ProbedUpstream } from "../../../lib/upstream/health/probe_target.ts";
import type { Upstream } from "../../../lib/upstream/upstream.ts";
import { until } from "../../support/condition.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { checkOf, upstreamAt } from "./probed_upstream.ts";

const BAD = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";

/** A prober that ends with its test, and what it said. */
class Watch {
  readonly lines: { level: LogLevel; message: string; fields: Record<string, string | number | boolean> }[] = [];
  readonly prober: Prober;

  constructor(options: Partial<ProberOptions> = {}) {
    const say = (level: LogLevel, message: string, fields = {}) => void this.lines.push({ level, message, fields });
    this.prober = new Prober({ log: { log: say }, ...options });
  }

  probes(upstream: Upstream): number {
    const status = this.prober.statusOf(upstream);
    return status === undefined ? 0 : status.goodProbes + status.badProbes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.prober.stop();
  }
}

function probed(upstream: Upstream, place: Partial<ProbedUpstream> = {}): ProbedUpstream {
  return { upstream, pool: "api", site: "shop", check: checkOf(), ...place };
}

Deno.test("Prober takes an upstream out and brings it back, and says each once, with the reason", async () => {
  let answer = answerOf("ok");
  await using server = ScriptedUpstream.answering(() => answer);
  await using watch = new Watch();
  const upstream = upstreamAt(server.url);
  watch.prober.update([probed(upstream)]);
  await until("good probes", () => watch.probes(upstream) >= 2);
  assertEquals([upstream.state, watch.lines.length], ["active", 0]);
  answer = BAD;
  await until("it is unhealthy", () => upstream.state === "unhealthy");
  await until("more bad probes", () => watch.probes(upstream) >= 5);
  answer = answerOf("ok");
  await until("it is healthy", () => upstream.state === "active");
  const fields = { upstream: server.url, pool: "api", site: "shop" };
  assertEquals(watch.lines, [
    {
      level: "warn",
      message: "upstream unhealthy",
      fields: { ...fields, reason: "GET /health got 503, expected 200 to 399", probes: 3 },
    },
    { level: "info", message: "upstream healthy", fields: { ...fields, probes: 2 } },
  ]);
});

Deno.test("Prober probes one address once for all who have it", async () => {
  let working = true;
  await using server = ScriptedUpstream.answering(() => working ? answerOf("ok") : BAD);
  await using watch = new Watch();
  const [one, two, three] = [1, 2, 3].map(() => upstreamAt(server.url));
  const check = checkOf({ path: "/other" });
  watch.prober.update([
    probed(one),
    probed(two, { pool: "admin", site: "blog" }),
    probed(three, { check }),
  ]);
  assertEquals(watch.prober.statuses.length, 2);
  working = false;
  await until("all are unhealthy", () => [one, two, three].every(({ state }) => state === "unhealthy"));
  assertEquals(watch.prober.statusOf(one), watch.prober.statusOf(two));
  assertEquals(watch.lines.map(({ fields }) => fields.pool).sort(), ["api", "api, admin"]);
  assertEquals(watch.lines.map(({ fields }) => fields.site).sort(), ["shop", "shop, blog"]);
  assert(server.requests.some(({ firstLine }) => firstLine === "GET /other HTTP/1.1"));
});

Deno.test("Prober makes the first probe within a second, however long the interval", async () => {
  await using server = ScriptedUpstream.answering(answerOf("ok"));
  await using watch = new Watch({ random: () => 0.02, now: () => 1000 });
  const upstream = upstreamAt(server.url, { probedFirst: "unhealthy" });
  watch.prober.update([probed(upstream, { check: checkOf({ interval: 600_000 }) })]);
  const status = { url: server.url, goodProbes: 0, badProbes: 0, last: undefined, changedAtMs: undefined };
  assertEquals(watch.prober.statusOf(upstream), { ...status, verdict: "unknown", nextAtMs: 1020 });
  await until("it is healthy", () => upstream.available);
  const known = watch.prober.statusOf(upstream);
  assertEquals([known?.verdict, known?.nextAtMs, known?.changedAtMs], ["healthy", 13_000, 1000]);
  assertEquals(watch.lines.map(({ message }) => message), ["upstream healthy"]);
});

Deno.test("Prober plans a probe only when the last one is over", async () => {
  const held = Promise.withResolvers<void>();
  await using server = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await held.promise;
    await peer.send(answerOf("ok"));
    await peer.closed();
  });
  await using watch = new Watch();
  const upstream = upstreamAt(server.url);
  watch.prober.update([probed(upstream, { check: checkOf({ interval: 1, timeout: 60_000 }) })]);
  await until("a probe is under way", () => server.requests.length === 1);
  assertEquals(watch.prober.statusOf(upstream)?.nextAtMs, undefined);
  // Time for the mistake to show: thirty intervals.
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(server.connections, 1);
  held.resolve();
  await until("the next one comes", () => server.connections > 1);
});

Deno.test("Prober bounds how many probes are under way", async () => {
  let open = 0;
  let most = 0;
  await using server = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 5));
    open--;
    await peer.send(answerOf("ok"));
    await peer.closed();
  });
  await using watch = new Watch({ maxConcurrent: 3, random: () => 0 });
  const upstreams = Array.from({ length: 12 }, (_, i) => upstreamAt(`${server.url}/${i}`));
  const check = checkOf({ interval: 100_000 });
  watch.prober.update(upstreams.map((upstream) => probed(upstream, { check })));
  await until("each has been probed", () => upstreams.every((upstream) => watch.probes(upstream) > 0));
  assertLessOrEqual(most, 3);
});

Deno.test("Prober leaves upstreams in maintenance alone", async () => {
  await using server = ScriptedUpstream.answering(BAD);
  await using watch = new Watch();
  const [resting, working] = [upstreamAt(`${server.url}/resting`), upstreamAt(`${server.url}/working`)];
  resting.condition.setAdminState("maintenance");
  working.condition.setAdminState("draining");
  watch.prober.update([probed(resting), probed(working)]);
  await until("the other has been probed", () => watch.probes(working) >= 5);
  assert(server.requests.every(({ firstLine }) => firstLine === "GET /working/health HTTP/1.1"));
  assertEquals(watch.prober.statusOf(resting)?.verdict, "unknown");
  resting.condition.setAdminState("active");
  await until("it is probed again", () => resting.state === "unhealthy");
});

Deno.test("Prober does not count a probe that maintenance overtook", async () => {
  const held = Promise.withResolvers<void>();
  await using server = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await held.promise;
    await peer.send(BAD);
    await peer.closed();
  });
  await using watch = new Watch();
  const upstream = upstreamAt(server.url);
  watch.prober.update([probed(upstream, { check: checkOf({ unhealthy_after: 1 }) })]);
  await until("a probe is under way", () => server.requests.length === 1);
  upstream.condition.setAdminState("maintenance");
  held.resolve();
  await until("it is over", () => watch.prober.statusOf(upstream)?.nextAtMs !== undefined);
  assertEquals([watch.prober.statusOf(upstream)?.verdict, watch.lines.length], ["unknown", 0]);
});

Deno.test("Prober.update() keeps what is known of addresses that stay, and forgets the others", async () => {
  await using server = ScriptedUpstream.answering(BAD);
  await using watch = new Watch();
  const [old, gone] = [upstreamAt(server.url), upstreamAt(`${server.url}/gone`)];
  watch.prober.update([probed(old), probed(gone)]);
  await until("both are unhealthy", () => [old, gone].every(({ state }) => state === "unhealthy"));
  const renewed = upstreamAt(server.url);
  watch.prober.update([probed(renewed)]);
  assertEquals(renewed.state, "unhealthy");
  assertEquals([watch.prober.statusOf(old), watch.prober.statusOf(gone)], [undefined, undefined]);
  const before = watch.probes(renewed);
  assertGreater(before, 2);
  await until("it is probed on", () => watch.probes(renewed) > before);
  assertEquals(watch.lines.length, 2);
});

Deno.test("Prober.update() does not count a probe of an upstream that is gone", async () => {
  await using server = ScriptedUpstream.start((peer) => peer.closed());
  await using watch = new Watch();
  const check = checkOf({ unhealthy_after: 1, timeout: 60_000 });
  const upstream = upstreamAt(server.url);
  watch.prober.update([probed(upstream, { check })]);
  await until("a probe is under way", () => server.open === 1);
  watch.prober.update([]);
  await until("it is broken off", () => server.open === 0);
  await watch.prober.stop();
  assertEquals([upstream.state, watch.lines.length], ["active", 0]);
});

Deno.test("Prober.update() plans nothing for an upstream that was waiting for its turn and is gone", async () => {
  await using server = ScriptedUpstream.start((peer) => peer.closed());
  let plans = 0;
  await using watch = new Watch({ maxConcurrent: 1, random: () => 0 * ++plans });
  const upstreams = [1, 2, 3].map((name) => upstreamAt(`${server.url}/${name}`));
  watch.prober.update(upstreams.map((upstream) => probed(upstream)));
  await until("a probe is under way", () => server.open === 1);
  await until("the others wait", () => watch.prober.statuses.every(({ nextAtMs }) => nextAtMs === undefined));
  // What is put off for maintenance would be planned anew.
  for (const upstream of upstreams) upstream.condition.setAdminState("maintenance");
  watch.prober.update([]);
  await until("it is broken off", () => server.open === 0);
  // Time for the mistake to show: several intervals.
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals([server.connections, plans], [1, 3]);
});

Deno.test("Prober.stop() breaks off probes under way and makes no more", async () => {
  await using server = ScriptedUpstream.start((peer) => peer.closed());
  await using watch = new Watch();
  const upstream = upstreamAt(server.url);
  const target = probed(upstream, { check: checkOf({ unhealthy_after: 1, timeout: 60_000 }) });
  watch.prober.update([target]);
  await until("a probe is under way", () => server.open === 1);
  await watch.prober.stop();
  await until("its connection is closed", () => server.open === 0);
  watch.prober.update([target]);
  assertEquals([upstream.state, watch.prober.statuses], ["active", []]);
});

Deno.test("Prober leaves one socket at the most with an upstream that never says anything of TLS", async () => {
  await using server = ScriptedUpstream.start((peer) => peer.closed());
  await using watch = new Watch();
  const upstream = upstreamAt(server.url.replace("http:", "https:"));
  watch.prober.update([probed(upstream, { check: checkOf({ timeout: 40 }) })]);
  await until("many probes", () => watch.probes(upstream) >= 5);
  await watch.prober.stop();
  await until("the others are closed", () => server.open <= 1);
});

Deno.test("Prober goes on when a listener of an upstream fails", async () => {
  await using server = ScriptedUpstream.answering(BAD);
  await using watch = new Watch();
  const upstream = upstreamAt(server.url);
  upstream.condition.probed = () => {
    throw new Error("deaf");
  };
  watch.prober.update([probed(upstream)]);
  await until("it is probed on", () => watch.probes(upstream) >= 5);
  assertEquals(watch.lines.map(({ message }) => message), ["Cannot report the result of a probe to an upstream"]);
});

Deno.test("Prober keeps no process alive", async () => {
  const program = `
    import { Prober } from "${new URL("../../../lib/upstream/health/prober.ts", import.meta.url)}";
    import { checkOf, upstreamAt } from "${new URL("./probed_upstream.ts", import.meta.url)}";
    const prober = new Prober({ log: { say() {} }, random: () => 0.9 });
    const check = checkOf({ interval: 600000 });
    prober.update([{ upstream: upstreamAt("http://127.0.0.1:9"), pool: "p", site: "s", check }]);
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", "--config", config, file];
    // Its first probe is due in more than half a second, its second in ten minutes: one that waited would be ended here.
    const signal = AbortSignal.timeout(300_000);
    const { code } = await new Deno.Command(Deno.execPath(), { args, signal }).output();
    assertEquals(code, 0);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("Prober draws no conclusion from what this machine lacks, and says so once", async () => {
  await using server = ScriptedUpstream.answering(() => answerOf("ok"));
  await using watch = new Watch();
  const upstream = upstreamAt(server.url);
  const { connect } = Deno;
  let refused = 0;
  Deno.connect = (() => {
    refused++;
    return Promise.reject(Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" }));
  }) as unknown as typeof connect;
  try {
    watch.prober.update([probed(upstream)]);
    await until("several probes could not be made", () => refused >= 5);
  } finally {
    Deno.connect = connect;
  }
  assertEquals([upstream.state, watch.probes(upstream)], ["active", 0]);
  assertEquals(watch.lines.map(({ level, message }) => [level, message]), [["error", "cannot probe upstreams"]]);
  assert(String(watch.lines[0].fields.reason).includes("no file handles left (EMFILE): raise its limit"));
  await until("good probes", () => watch.probes(upstream) >= 2);
});
