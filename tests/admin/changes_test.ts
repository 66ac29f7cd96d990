/**
 * What the management API changes, in one thread and with workers.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { upstreamSchema } from "../../lib/admin/api_schemas.ts";
import type { RunningWorkers } from "../../lib/process/worker_server.ts";
import { until } from "../support/condition.ts";
import { managedConfig, NamedUpstream, RunningManagement } from "./running_management.ts";

for (const workers of [1, 2]) {
  const serving = workers === 1 ? "in one thread" : `with ${workers} workers`;

  Deno.test(`a draining upstream gets nothing new and ends what it has, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using other = new NamedUpstream("other");
    await using running = await RunningManagement.start({ upstreams: [one.url, other.url], workers });
    const id = await running.idOf(one.url);
    const waiting = Array.from({ length: 8 }, () => running.visit("/wait"));
    await until("all wait", () => one.asked + other.asked === 8);
    const had = one.asked;
    assert(had > 0);
    const changed = await running.send("PATCH", `/api/upstreams/${id}`, { state: "draining" });
    const upstream = await changed.json();
    assertEquals([changed.status, upstream.state], [200, "draining"]);
    assertEquals(upstream.inFlight, had);
    assertEquals(await running.visits(20), { other: 20 });
    assertEquals(one.asked, had);
    one.gate.resolve();
    other.gate.resolve();
    assertEquals((await Promise.all(waiting)).filter((name) => name === "one").length, had);
    await until("it is idle", async () => (await running.told(`/api/upstreams/${id}`)).inFlight === 0);
    await (await running.send("PATCH", `/api/upstreams/${id}`, { state: "active" })).body?.cancel();
    assertEquals(Object.keys(await running.visits(12)).sort(), ["one", "other"]);
  });

  Deno.test(`another weight shifts the load, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using other = new NamedUpstream("other");
    await using running = await RunningManagement.start({
      ...{ upstreams: [one.url, other.url], workers },
      proxy: {
        upstreams: [one, other].map(({ url }) => ({ name: "app", url, weight: 1 })),
        routes: [{ path: "/", upstream: "app" }],
        load_balancing: { method: "weighted_round_robin" },
      },
    });
    const id = await running.idOf(one.url);
    const changed = await (await running.send("PATCH", `/api/upstreams/${id}`, { weight: 9 })).json();
    assertEquals([changed.weight, changed.configWeight, changed.state], [9, 1, "active"]);
    await settled(async () => (await running.visits(20)).one === 18, "nine of ten go to one");
  });

  Deno.test(`an upstream is added, serves, and is taken out again, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using added = new NamedUpstream("added");
    await using running = await RunningManagement.start({ upstreams: [one.url], workers });
    const member = { site: "shop", pool: "app", url: added.url, weight: 3 };
    const response = await running.send("POST", "/api/upstreams", member);
    const upstream = await response.json();
    assertEquals(upstreamSchema.parse(upstream), upstream);
    assertEquals([response.status, upstream.source, upstream.weight], [201, "api", 3]);
    assertEquals(response.headers.get("location"), `/api/upstreams/${upstream.id}`);
    assertEquals((await running.upstreams()).map(({ source }) => source), ["config", "api"]);
    await settled(async () => ((await running.visits(20)).added ?? 0) >= 10, "all workers know it");
    assertEquals((await running.send("POST", "/api/upstreams", member)).status, 409);

    const gone = await running.ask(`/api/upstreams/${upstream.id}`, { method: "DELETE" });
    assertEquals([gone.status, await gone.text()], [204, ""]);
    await settled(async () => (await running.visits(10)).one === 10, "no worker knows it");
    assertEquals((await running.upstreams()).map(({ url }) => url), [one.url]);
  });

  Deno.test(`an upstream of the config is taken out, and a reload brings it back, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using other = new NamedUpstream("other");
    const options = { upstreams: [one.url, other.url], workers };
    await using running = await RunningManagement.start({
      ...options,
      load: () => Promise.resolve({ config: managedConfig(options), warnings: [] }),
    });
    const id = await running.idOf(one.url);
    await running.ask(`/api/upstreams/${id}`, { method: "DELETE" });
    await settled(async () => (await running.visits(10)).other === 10, "no worker has it");
    const { pools } = await running.told("/api/upstreams");
    assertEquals([pools[0].upstreams.length, pools[0].removed], [1, [one.url]]);
    const last = `/api/upstreams/${await running.idOf(other.url)}`;
    const refused = await running.ask(last, { method: "DELETE" });
    assertEquals([refused.status, (await refused.json()).type], [409, "urn:bws:last-upstream"]);
    assertEquals((await running.ask(`${last}?force=true`, { method: "DELETE" })).status, 204);
    await settled(async () => (await running.visitStatus()) === 503, "no worker has any");

    const reloaded = await running.send("POST", "/api/config/reload");
    assertEquals([reloaded.status, await reloaded.json()], [200, { generation: 2, problems: [], needsRestart: [] }]);
    assertEquals(await running.idOf(one.url), id, "the same after a reload");
    assertEquals(Object.keys(await running.visits(10)).sort(), ["one", "other"]);
    assertEquals((await running.told("/api/status")).config.generation, 2);
  });

  Deno.test(`state and weight stay over a reload, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using other = new NamedUpstream("other");
    const options = { upstreams: [one.url, other.url], workers };
    await using running = await RunningManagement.start({
      ...options,
      load: () => Promise.resolve({ config: managedConfig(options), warnings: [] }),
    });
    const id = await running.idOf(one.url);
    await running.send("PATCH", `/api/upstreams/${id}`, { state: "maintenance", weight: 5 });
    await running.send("POST", "/api/config/reload");
    const { state, weight } = await running.told(`/api/upstreams/${id}`);
    assertEquals([state, weight], ["maintenance", 5]);
    assertEquals(await running.visits(8), { other: 8 });
  });
}

Deno.test("a worker that is replaced knows of upstreams that came and went, and leaves their state alone", async () => {
  await using one = new NamedUpstream("one");
  await using added = new NamedUpstream("added");
  await using running = await RunningManagement.start({ upstreams: [one.url, "http://127.0.0.1:1"], workers: 2 });
  const server = running.server as RunningWorkers;
  await running.send("POST", "/api/upstreams", { site: "shop", pool: "app", url: added.url, weight: 1 });
  await running.ask(`/api/upstreams/${await running.idOf("http://127.0.0.1:1")}`, { method: "DELETE" });
  await running.send("PATCH", `/api/upstreams/${await running.idOf(one.url)}`, { state: "draining" });
  const [before] = server.workers;
  before?.terminate();
  await until(
    "a new worker serves",
    () => server.workers[0] !== before && server.workers[0]?.state === "serving",
    20_000,
  );
  await settled(async () => (await running.visits(12)).added === 12, "all go to the one that was added");
  await running.send("PATCH", `/api/upstreams/${await running.idOf(added.url)}?force=true`, { state: "draining" });
  server.workers[1]?.terminate();
  await until(
    "the other serves again",
    () => server.restarts[1] === 1 && server.workers[1]?.state === "serving",
    20_000,
  );
  const listed = await running.upstreams();
  assertEquals(listed.map(({ state }) => state), ["draining", "draining"]);
  const { workers } = (await running.told("/api/status")).process;
  assertEquals(workers.map(({ restarts }: { restarts: number }) => restarts), [1, 1]);
});

Deno.test("changes that make no sense are refused, and say why", async () => {
  await using one = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [one.url, "http://127.0.0.1:1"] });
  const id = await running.idOf(one.url);
  const patches: [unknown, number][] = [
    [{}, 422],
    [{ state: "gone" }, 422],
    [{ weight: 0 }, 422],
    [{ weight: 1.5 }, 422],
    [{ weight: 65_536 }, 422],
    [{ weight: "2" }, 422],
    [{ state: "draining", extra: 1 }, 422],
    [[], 422],
    [null, 422],
  ];
  for (const [change, status] of patches) {
    const response = await running.send("PATCH", `/api/upstreams/${id}`, change);
    const body = await response.json();
    assertEquals([response.status, body.problems.length > 0], [status, true], JSON.stringify(change));
  }
  const member = { site: "shop", pool: "app", url: "http://127.0.0.1:9", weight: 1 };
  const additions: [unknown, number][] = [
    [{ ...member, site: "nowhere" }, 422],
    [{ ...member, pool: "nowhere" }, 422],
    [{ ...member, url: "ftp://127.0.0.1" }, 422],
    [{ ...member, url: "http://user:password@127.0.0.1" }, 422],
    [{ ...member, url: "srv+http://_web._tcp.example.com" }, 422],
    [{ ...member, url: one.url }, 409],
    [{ ...member, port: 1 }, 422],
    [{ site: "shop", pool: "app" }, 422],
  ];
  for (const [addition, status] of additions) {
    const response = await running.send("POST", "/api/upstreams", addition);
    assertEquals([response.status, typeof (await response.json()).error], [status, "string"], JSON.stringify(addition));
  }
  const patch = (body: BodyInit, type: string) =>
    running.ask(`/api/upstreams/${id}`, { method: "PATCH", body, headers: { "content-type": type } });
  assertEquals((await patch("{", "application/json")).status, 400);
  assertEquals((await patch("{}", "text/plain")).status, 415);
  assertEquals((await patch(new Uint8Array([0x22, 0xff, 0x22]), "application/json")).status, 400);
  assertEquals((await patch(" ".repeat(1024 * 1024 + 1), "application/json")).status, 413);
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
  });
  assertEquals((await patch(endless, "application/json")).status, 413);
  assertEquals((await running.upstreams()).map(({ state, weight }) => [state, weight]), [["active", 1], ["active", 1]]);
});

Deno.test("the last upstream that takes requests goes only when that is really meant", async () => {
  await using one = new NamedUpstream("one");
  await using other = new NamedUpstream("other");
  await using running = await RunningManagement.start({ upstreams: [one.url, other.url] });
  const path = `/api/upstreams/${await running.idOf(one.url)}`;
  const otherPath = `/api/upstreams/${await running.idOf(other.url)}`;
  assertEquals((await running.send("PATCH", otherPath, { state: "maintenance" })).status, 200);
  for (const state of ["draining", "maintenance"]) {
    const refused = await running.send("PATCH", path, { state, weight: 7 });
    const { type, title, status, detail } = await refused.json();
    assertEquals([refused.status, type, title, status], [
      ...[409, "urn:bws:last-upstream", "Last upstream of a pool", 409],
    ]);
    assertStringIncludes(detail, "?force=true");
  }
  assertEquals((await running.ask(path, { method: "DELETE" })).status, 409);
  assertEquals((await running.ask(`${path}?force=yes`, { method: "DELETE" })).status, 409);
  const { pools: [pool] } = await running.told("/api/upstreams");
  const kept = pool.upstreams.map(({ state, weight }: { state: string; weight: number }) => [state, weight]);
  assertEquals([pool.available, kept], [1, [["active", 1], ["maintenance", 1]]]);
  // The other takes none already, so nothing is lost.
  assertEquals((await running.send("PATCH", otherPath, { state: "draining" })).status, 200);
  assertEquals((await running.send("PATCH", `${path}?force=true`, { state: "draining" })).status, 200);
  assertEquals(await running.visitStatus(), 503);
});

Deno.test("a reload needs no content type when it has no body, and no form can ask for one", async () => {
  await using one = new NamedUpstream("one");
  const options = { upstreams: [one.url] };
  await using running = await RunningManagement.start({
    ...options,
    load: () => Promise.resolve({ config: managedConfig(options), warnings: [] }),
  });
  const reload = async (init: RequestInit) => {
    const response = await running.ask("/api/config/reload", { method: "POST", ...init });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await reload({}), 200);
  assertEquals(await reload({ headers: { "content-type": "application/json" }, body: "{}" }), 200);
  assertEquals(await reload({ headers: { "sec-fetch-site": "same-origin", origin: `http://${running.host}` } }), 200);
  // What forms of other pages send, with and without fields.
  for (const type of ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]) {
    assertEquals(await reload({ headers: { "content-type": type } }), 415, type);
    assertEquals(await reload({ headers: { "content-type": type }, body: "a=b" }), 415, type);
  }
  // What scripts of other pages send without asking: Origin comes with every POST.
  for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
    assertEquals(await reload({ headers: { origin } }), 403, origin);
  }
  assertEquals(await reload({ headers: { "sec-fetch-site": "cross-site" } }), 403);
});

Deno.test("a reload that is refused says why, and is reported until one is accepted", async () => {
  await using one = new NamedUpstream("one");
  const options = { upstreams: [one.url] };
  let refuses = true;
  await using running = await RunningManagement.start({
    ...options,
    load: () =>
      refuses
        ? Promise.reject(new Error("The file is gone"))
        : Promise.resolve({ config: managedConfig(options), warnings: [] }),
  });
  const refused = await running.send("POST", "/api/config/reload");
  const body = await refused.json();
  assertEquals([refused.status, body.problems[0].message], [422, "The file is gone"]);
  assertEquals((await running.told("/api/status")).config.refused.problems[0].message, "The file is gone");
  assertEquals(await running.visit(), "one");
  refuses = false;
  assertEquals((await running.send("POST", "/api/config/reload")).status, 200);
  assertEquals((await running.told("/api/status")).config.refused, null);
});

Deno.test("where the config came from no file there is nothing to reload", async () => {
  await using one = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [one.url] });
  assertEquals((await running.send("POST", "/api/config/reload")).status, 409);
});

Deno.test("POST /api/config/validate reports line and column of each problem, and changes nothing", async () => {
  await using one = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [one.url] });
  const validate = async (text: string) => {
    const headers = { "content-type": "application/toml" };
    return await (await running.ask("/api/config/validate", { method: "POST", body: text, headers })).json();
  };
  const { valid, problems, warnings } = await validate('[[sites]]\nport = 80000\nstatic_dir = "."\ncolour = "red"');
  assertEquals([valid, problems.length, warnings.length], [false, 2, 0]);
  assertEquals([problems[0].line, problems[0].column, problems[0].path], [2, 8, "sites[0].port"]);
  assertEquals((await validate('[[sites]]\nstatic_dir = "."')).valid, true);
  assertEquals((await validate("not toml")).valid, false);
  assertEquals((await running.told("/api/status")).config.generation, 1);
});

function settled(fact: () => Promise<boolean>, what: string): Promise<void> {
  return until(what, fact);
}
