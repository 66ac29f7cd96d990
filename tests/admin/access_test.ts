/**
 * Who may ask the management listener: the key, and browsers that are made to ask by pages of other sites.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ApiKey } from "../../lib/admin/api_key.ts";
import { FailureList } from "../../lib/admin/failure_list.ts";
import { startManagement } from "../../lib/admin/management.ts";
import { Reloader } from "../../lib/process/reloader.ts";
import { startServer } from "../../lib/process/server.ts";
import { statusOf } from "../support/message_reader.ts";
import { exchange } from "../support/raw_client.ts";
import { managedConfig, NamedUpstream, RunningManagement } from "./running_management.ts";

const KEY = "correct horse battery staple";

/** The status of a request with exactly these header lines. */
async function status(
  running: RunningManagement,
  request: string,
  lines: readonly string[] = [],
  body = "",
): Promise<number> {
  const host = lines.some((line) => line.toLowerCase().startsWith("host:")) ? [] : [`host: ${running.host}`];
  const head = [`${request} HTTP/1.1`, ...host, "connection: close", ...lines, "", body].join("\r\n");
  return statusOf(await exchange(running.management.address.port, head));
}

Deno.test("everything but the dashboard's files and the liveness path needs the key", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({ upstreams: [upstream.url], management: { api_key: KEY } });
  for (const path of ["/", "/dashboard/main.js", "/api/health/live"]) {
    assertEquals(await status(running, `GET ${path}`), 200, path);
  }
  const paths = ["status", "sites", "upstreams", "config", "events", "openapi.json", "nothing", "upstreams/x"];
  for (const path of ["/metrics", "/else", ...paths.map((name) => `/api/${name}`)]) {
    assertEquals(await status(running, `GET ${path}`), 401, path);
  }
  for (const request of ["POST /api/config/reload", "PATCH /api/upstreams/x", "DELETE /api/upstreams/x"]) {
    assertEquals(await status(running, request), 401, request);
  }
  const refused = await running.ask("/api/status");
  assertEquals(refused.headers.get("content-type"), "application/problem+json");
  assertEquals(refused.headers.get("www-authenticate"), 'Bearer realm="bws"');
  assertEquals((await refused.json()).status, 401);
});

Deno.test("the key opens as a bearer token and as X-API-Key, and no other does", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({ upstreams: [upstream.url], management: { api_key: KEY } });
  const opens = async (line: string) => await status(running, "GET /api/sites", [line]);
  assertEquals(await opens(`Authorization: Bearer ${KEY}`), 200);
  assertEquals(await opens(`authorization: bearer ${KEY}`), 200);
  assertEquals(await opens(`X-API-Key: ${KEY}`), 200);
  for (const wrong of [`${KEY}x`, KEY.slice(1), "", KEY.toUpperCase(), "undefined"]) {
    assertEquals(await opens(`Authorization: Bearer ${wrong}`), 401, wrong);
    assertEquals(await opens(`X-API-Key: ${wrong}`), 401, wrong);
  }
  assertEquals(await opens(`Authorization: Basic ${btoa(`x:${KEY}`)}`), 401);
});

Deno.test("ApiKey.opens() compares digests of one length, in constant time", () => {
  const lengths: number[] = [];
  const key = new ApiKey(KEY, (one, other) => {
    lengths.push(one.length, other.length);
    return false;
  });
  for (const guess of ["", "c", KEY, "x".repeat(4000)]) key.opens(new Headers({ "x-api-key": guess }));
  assertEquals(new Set(lengths), new Set([32]));
  assertEquals(lengths.length, 8);
  // Unless told otherwise it is the platform's own comparison.
  const source = Deno.readTextFileSync(new URL("../../lib/admin/api_key.ts", import.meta.url));
  assertStringIncludes(source, "equal: Equal = timingSafeEqual");
});

Deno.test("a host name that is not the listener's is refused, since a page may have made it mean this machine", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({
    upstreams: [upstream.url],
    management: { hosts: ["BWS.internal"] },
  });
  const { port } = running.management.address;
  for (const host of ["127.0.0.1", "localhost", `[::1]:${port}`, `LOCALHOST:${port}`, "bws.internal", "10.1.2.3"]) {
    assertEquals(await status(running, "GET /api/sites", [`Host: ${host}`]), 200, host);
  }
  for (
    const host of ["evil.example", `evil.example:${port}`, "localhost.evil.example", "127.0.0.1.evil.example", "x"]
  ) {
    assertEquals(await status(running, "GET /api/sites", [`Host: ${host}`]), 421, host);
    assertEquals(await status(running, "GET /", [`Host: ${host}`]), 421, host);
  }
  for (const host of ["", "a/b", "localhost/x", "localhost@evil.example"]) {
    assertEquals(await status(running, "GET /api/sites", [`Host: ${host}`]), 400, host);
  }
  const absolute = `GET http://evil.example/api/sites`;
  assertEquals(await status(running, absolute, ["Host: localhost"]), 400);
});

Deno.test("requests that pages of other sites make are refused", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  const { host } = running;
  for (const origin of ["https://evil.example", "null", "http://localhost:1", `http://x.${host}`]) {
    assertEquals(await status(running, "GET /api/config", [`Origin: ${origin}`]), 403, origin);
  }
  assertEquals(await status(running, "GET /api/config", [`Origin: http://${host}`]), 200);
  for (const site of ["cross-site", "same-site"]) {
    assertEquals(await status(running, "GET /api/config", [`Sec-Fetch-Site: ${site}`]), 403, site);
    assertEquals(await status(running, "GET /dashboard/main.js", [`Sec-Fetch-Site: ${site}`]), 403, site);
  }
  for (const site of ["same-origin", "none"]) {
    assertEquals(await status(running, "GET /api/config", [`Sec-Fetch-Site: ${site}`]), 200, site);
  }
  // A link to the dashboard works; the same in a frame does not.
  const followed = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"];
  assertEquals(await status(running, "GET /", [...followed, "Sec-Fetch-Dest: document"]), 200);
  assertEquals(await status(running, "GET /", [...followed, "Sec-Fetch-Dest: iframe"]), 403);
  assertEquals(await status(running, "GET /api/config", [...followed, "Sec-Fetch-Dest: document"]), 403);
});

Deno.test("what a form or a script may send unasked changes nothing, even without Origin and Sec-Fetch-Site", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  for (
    const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
  ) {
    const lines = ["Content-Length: 2", ...(type === undefined ? [] : [`Content-Type: ${type}`])];
    for (const path of ["upstreams", "config/reload", "config/validate"]) {
      assertEquals(await status(running, `POST /api/${path}`, lines, "{}"), 415, `${path} ${type}`);
    }
  }
  const allowed = await running.ask("/api/upstreams", {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  assertEquals(allowed.status, 403);
  assertEquals([...allowed.headers.keys()].filter((name) => name.startsWith("access-control")), []);
  await allowed.body?.cancel();
});

Deno.test("every response has the header fields for safety, and those of the API are not stored", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  for (const path of ["/", "/dashboard/main.js", "/api/status", "/metrics", "/nothing", "/api/openapi.json"]) {
    const { headers, body } = await running.ask(path);
    await body?.cancel();
    assertStringIncludes(headers.get("content-security-policy") ?? "", "default-src 'self'", path);
    assertStringIncludes(headers.get("content-security-policy") ?? "", "frame-ancestors 'none'", path);
    assertEquals(headers.get("x-content-type-options"), "nosniff", path);
    assertEquals(headers.get("referrer-policy"), "no-referrer", path);
    const asset = path === "/" || path.startsWith("/dashboard/");
    assertEquals(headers.get("cache-control"), asset ? "no-cache" : "no-store", path);
  }
});

Deno.test("startManagement() refuses to listen where others can reach it without a key, whatever the host's name", async () => {
  await using upstream = new NamedUpstream("a");
  const config = managedConfig({ upstreams: [upstream.url] });
  const server = await startServer(config);
  const reloader = new Reloader({ server, config, file: null, load: undefined, log: undefined });
  const start = (host: string, api_key?: string, port = 0) =>
    startManagement({
      ...{
        settings: { ...config.management, host, api_key, port },
        server,
        config: reloader,
        failures: new FailureList(),
      },
    });
  const error = await assertRejects(() => start("0.0.0.0"), Error);
  assertStringIncludes(error.message, "expected management.api_key, or a loopback address");
  const open = await start("0.0.0.0", KEY);
  assert(open.address.port > 0);
  await assertRejects(() => start("192.0.2.1", KEY), Error, "Cannot open the management API on 192.0.2.1");
  await assertRejects(
    () => start("0.0.0.0", KEY, open.address.port),
    Error,
    `Cannot open the management API on 0.0.0.0:${open.address.port}: the port is in use. Stop the program that has it`,
  );
  await open.stop();
  const local = await start("localhost");
  await local.stop();
  await server.stop();
});

Deno.test("nothing of it is there on the port of a site", async () => {
  await using upstream = new NamedUpstream("a");
  await using running = await RunningManagement.start({
    upstreams: [upstream.url],
    site: { internal_api: true },
    proxy: { upstreams: [{ name: "app", url: upstream.url }], routes: [{ path: "/app", upstream: "app" }] },
  });
  const site = `http://127.0.0.1:${running.server.addresses[0].port}`;
  for (const path of ["/", "/metrics", "/api/status", "/api/upstreams", "/api/events", "/dashboard/main.js"]) {
    const response = await fetch(site + path);
    await response.body?.cancel();
    assertEquals(response.status, 404, path);
  }
  // The site's own endpoints of the same path are those of the site.
  const shown = await (await fetch(`${site}/api/config`)).text();
  assertEquals(shown.includes("management"), false);
});
