// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MeteredProxy } from "../generation/metered_proxy.ts";
import { runFirst } from "../metrics/sample_exposition.ts";
import { exchange, get } from "../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

/** Characters that a label must escape, in what a config and a client may say. */
const AWKWARD = `a"b\\c`;

function awkwardProxy(upstream: ScriptedUpstream): Promise<MeteredProxy> {
  return MeteredProxy.of({
    management: { enabled: true },
    server: { shutdown_timeout: "300ms" },
    sites: [{
      ...{ name: AWKWARD, listen: "127.0.0.1", port: 0, internal_api: false },
      proxy: {
        upstreams: [{ name: AWKWARD, url: upstream.url }, { name: AWKWARD, url: upstream.url }],
        routes: [
          { path: "/app", upstream: AWKWARD },
          { path: "/users/:id", pattern: true, upstream: AWKWARD, websocket: true },
        ],
      },
    }],
  });
}

/** Every series, without its value. */
function seriesOf(scrape: string): Set<string> {
  return new Set(scrape.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map(seriesName));
}

function seriesName(line: string): string {
  return line.slice(0, line.lastIndexOf(" "));
}

/** Requests whose every part is another each time. */
function hostileRequests(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const path = [`/app/${i}`, `/users/${i}`, `/${crypto.randomUUID()}`, `/app/${"%22%0a"}${i}`][i % 4];
    const method = [`M${i}`, "get", "GET", "BREW", `GE${i}T`, "PROPFIND", `X-${i}`, "Options"][i % 8];
    const lines = `Host: h${i}.test\r\nUser-Agent: u${i}\r\nX-Request-Id: r${i}\r\nX-Forwarded-For: 10.0.0.${
      i % 250
    }\r\n`;
    return `${method} ${path}?q=${i} HTTP/1.1\r\n${lines}Content-Length: 0\r\n\r\n`;
  });
}

Deno.test("no client adds series without end, whatever it sends", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok", "X-Any: 1\r\n"));
  await using proxy = await awkwardProxy(upstream);
  const refused = Array.from({ length: 40 }, (_, i) => `GET / HTTP/1.1\r\nHost: a/${i}\r\n\r\n`);
  for (const request of [...hostileRequests(64), ...refused]) await exchange(proxy.port, request);
  await proxy.endedAll(104);
  const before = seriesOf(proxy.scrape());
  for (const request of hostileRequests(800)) await exchange(proxy.port, request);
  await proxy.endedAll(904);
  assertEquals(seriesOf(proxy.scrape()).difference(before), new Set());
  const values = (label: string) =>
    new Set(
      [...before].flatMap((series) => new RegExp(`[{,]${label}="((?:[^"\\\\]|\\\\.)*)"`).exec(series)?.[1] ?? []),
    );
  assertEquals(values("method"), new Set(["GET", "OTHER"]));
  assertEquals(values("route"), new Set(["", "/app", "/users/:id"]));
  assertEquals(values("site"), new Set(["", 'a\\"b\\\\c']));
  for (const series of before) assert(!/[hu]\d+\b|\.test|10\.0\.0/.test(series), series);
});

Deno.test("promtool check metrics passes what a server with traffic exposes", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await awkwardProxy(upstream);
  for (const path of ["/app", "/users/1", "/none"]) await exchange(proxy.port, get(path));
  await proxy.endedAll(3);
  const ran = await runFirst(["promtool"], ["check", "metrics"], proxy.scrape());
  if (ran === undefined) return skip("promtool is not on this machine (Debian: prometheus)");
  assertEquals(ran, { code: 0, text: "" });
});

/** Names of families that are asked for in PromQL, without the endings of histograms. */
function namesIn(queries: string): Set<string> {
  const names = queries.match(/\b(?:bws|process)_[a-z0-9_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, "")));
}

Deno.test("the dashboard of the example asks for families that there are", async () => {
  const folder = new URL("../../examples/prometheus/", import.meta.url);
  const dashboard = await Deno.readTextFile(new URL("grafana_dashboard.json", folder));
  const rules = await Deno.readTextFile(new URL("alerts.yml", folder));
  JSON.parse(dashboard);
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await awkwardProxy(upstream);
  const config = { generation: 1, acceptedCount: 0, refusedCount: 0, loadedAtMs: 0 };
  const there = new Set(proxy.familiesWith(config).map(({ name }) => name));
  const asked = namesIn(dashboard + rules);
  assert(asked.size > 15);
  assertEquals(asked.difference(there), new Set());
});

Deno.test("promtool understands every query of the example's dashboard", async () => {
  const file = new URL("../../examples/prometheus/grafana_dashboard.json", import.meta.url);
  const { panels }: { panels: { targets?: { expr: string }[] }[] } = JSON.parse(await Deno.readTextFile(file));
  // Grafana fills its variables in before Prometheus sees them.
  const queries = panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*"))
  );
  const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
  // YAML holds all of JSON.
  const rulesFile = JSON.stringify({ groups: [{ name: "dashboard", rules }] });
  const path = await Deno.makeTempFile({ suffix: ".yml" });
  try {
    await Deno.writeTextFile(path, rulesFile);
    const ran = await runFirst(["promtool"], ["check", "rules", path], "");
    if (ran === undefined) return skip("promtool is not on this machine (Debian: prometheus)");
    assertEquals(ran.code, 0, ran.text);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("promtool takes the scrape config and the alerts of the example", async () => {
  const folder = new URL("../../examples/prometheus/", import.meta.url).pathname;
  const scrape = await runFirst(["promtool"], ["check", "config", `${folder}prometheus.yml`], "");
  if (scrape === undefined) return skip("promtool is not on this machine (Debian: prometheus)");
  assertEquals(scrape.code, 0, scrape.text);
});

function skip(why: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`skipped: ${why}\n`));
}
