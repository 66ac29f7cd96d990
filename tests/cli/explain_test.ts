/**
 * `bws explain` and `bws health`, as processes.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { bws, BwsProcess } from "./bws_process.ts";

const inFolder = (config: string, work: (folder: string) => Promise<void>) =>
  inTemporaryFolder({ "config.toml": config }, work);

const PROXY = `[[sites]]
name = "shop"
hostname = "shop.example"
port = 8080
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:3001"
[[sites.proxy.upstreams]]
name = "app"
url = "http://app.internal:3002"
resolve = true
[[sites.proxy.routes]]
path = "/api/"
upstream = "app"
strip_prefix = true
[[sites.proxy.routes]]
path = "/"
upstream = "app"
`;

Deno.test("bws explain prints site, route, what goes upstream, pool and settings in columns, without a server", async () => {
  await inFolder(PROXY, async (cwd) => {
    const { code, stdout, stderr } = await bws(
      ["explain", "POST", "http://shop.example:8080/api/users", "-H", "X-A: b", "--client", "192.0.2.7"],
      { cwd },
    );
    assertEquals([code, stderr], [0, ""]);
    const text = stdout.replace(/bws-[0-9a-f]{16}/, "bws-MARK").replace(/x-request-id: \S+/, "x-request-id: ID");
    assertEquals(text.slice(0, text.indexOf("Settings")).trimEnd().split("\n"), [
      "POST http://shop.example:8080/api/users",
      "→ pool app",
      "",
      "Listener        :8080",
      'Site            shop  "shop.example" is one of its names',
      "Route           /api/  prefix  the longest prefix of the path",
      "                /      prefix  no: longer prefix won",
      "Upstream gets   POST /users HTTP/1.1",
      "                host: shop.example:8080",
      "                x-a: b",
      "                x-forwarded-for: 192.0.2.7",
      "                x-forwarded-proto: http",
      "                x-forwarded-host: shop.example:8080",
      "                x-forwarded-port: 8080",
      "                x-real-ip: 192.0.2.7",
      "                x-forwarded-prefix: /api",
      "                via: 1.1 bws-MARK",
      "                x-request-id: ID",
      "                content-length: 0",
      "Pool            app                       round_robin",
      "                http://127.0.0.1:3001     weight 1",
      "                http://app.internal:3002  weight 1, its addresses are looked up while the server runs",
    ]);
    assertMatch(text, /Settings +strip_prefix +true\n/);
    assertMatch(text, / timeout\.connect +5s\n/);
    const { stdout: json } = await bws(["explain", "/api/users", "--json"], { cwd });
    assertEquals(JSON.parse(json).route.path, "/api/");
  });
});

Deno.test("bws explain refuses what is no request with 2, and a config that is refused with 1", async () => {
  await inFolder(PROXY, async (cwd) => {
    const cases: [args: string[], message: string][] = [
      [[], "explain needs a URL, or a path"],
      [["?x"], '"?x" is no URL'],
      [["ftp://shop.example/x"], '"ftp://shop.example/x" has the scheme "ftp", expected http, https, ws or wss'],
      [["G T", "/"], '"G T" is no method'],
      [["/", "-H", "nothing"], '--header "nothing" is no header field'],
      [["/", "--client", "me"], "--client me is no IP address"],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await bws(["explain", ...args], { cwd });
      assertEquals(code, 2, message);
      assertStringIncludes(stderr, message);
    }
    await Deno.writeTextFile(`${cwd}/config.toml`, "[[sites]]\nport = 80000\n");
    const { code, stderr } = await bws(["explain", "/"], { cwd });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "config.toml:2:8: error: port is 80000");
  });
});

Deno.test("bws health asks the server of the config, says so in one line, and ends with 0 or 1", async () => {
  const [port, upstreamPort] = [freePort(), freePort()];
  const config = `[[sites]]
port = ${port}
listen = "127.0.0.1"
internal_api = false
default = true
static_dir = "."
[[sites]]
hostname = "app.example"
port = ${port}
listen = "127.0.0.1"
internal_api = "/_bws"
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:${upstreamPort}"
[[sites.proxy.routes]]
path = "/"
upstream = "app"
[sites.proxy.health_check]
kind = "tcp"
initial = "unhealthy"
interval = "100ms"
healthy_after = 1
`;
  await inFolder(config, async (cwd) => {
    const url = `http://127.0.0.1:${port}/_bws/health/`;
    const none = await bws(["health"], { cwd });
    assertEquals([none.code, none.stdout], [1, ""]);
    assertEquals(none.stderr, `not ready ${url}ready: Connection refused\n`);
    await using process = new BwsProcess(["run"], { cwd });
    await process.until(/listening on/);
    const unready = await bws(["health"], { cwd });
    assertEquals([unready.code, unready.stdout], [1, ""]);
    assertEquals(unready.stderr, `not ready ${url}ready: status 503, pool app: no upstream is available\n`);
    const live = await bws(["health", "--live"], { cwd });
    assertEquals([live.code, live.stdout, live.stderr], [0, `alive ${url}live\n`, ""]);
    using _upstream = Deno.listen({ hostname: "127.0.0.1", port: upstreamPort });
    for (;;) {
      const { code, stdout } = await bws(["health"], { cwd });
      if (code === 1) continue;
      assertEquals([code, stdout], [0, `ready ${url}ready\n`]);
      break;
    }
    const other = await bws(["health", `127.0.0.1:${port}`], { cwd });
    assertEquals(
      other.stderr,
      `not ready http://127.0.0.1:${port}/api/health/ready: status 404: no site with internal_api responds there; ` +
        "give the URL of one, not of the management API\n",
    );
  });
});

Deno.test("bws health does not wait for a server that says nothing, nor take one that talks nonsense for well", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr as Deno.NetAddr;
  const waited = await bws(["health", `http://127.0.0.1:${port}`, "--timeout", "300ms"]);
  assertEquals(waited.code, 1);
  assertEquals(waited.stderr, `not ready http://127.0.0.1:${port}/api/health/ready: no response within 300 ms\n`);
  using nonsense = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = (async () => {
    using connection = await nonsense.accept();
    await connection.write(new TextEncoder().encode("SSH-2.0\r\n"));
  })();
  const { code, stderr } = await bws(["health", `127.0.0.1:${(nonsense.addr as Deno.NetAddr).port}/up`]);
  await answered;
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^not ready http:\/\/127\.0\.0\.1:\d+\/up: (what listens there does not speak HTTP|Connection reset by peer)\n$/,
  );
  assertEquals((await bws(["health", "http://["])).code, 2);
  assertEquals((await bws(["health", "-t", "soon"])).code, 2);
});
