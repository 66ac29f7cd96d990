/**
 * `[[sites.rewrite]]`: what becomes of a request within a site, and what cannot.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { explain } from "../../lib/generation/explain.ts";
import { Log } from "../../lib/log/log.ts";
import { startServer } from "../../lib/process/server.ts";
import { assertErrors } from "../config/marked_config.ts";
import { until } from "../support/condition.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import { exchange, get } from "../support/raw_client.ts";
import { configOf, RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

type Rules = NonNullable<NonNullable<RunningProxyOptions["site"]>["rewrite"]>;

/** The target that the upstream gets for each target of a client; or the status of a refusal. */
async function targets(rewrite: Rules, sent: readonly string[], lines = ""): Promise<(string | number)[]> {
  await using upstream = ScriptedUpstream.answering(({ firstLine }) => answerOf(firstLine.split(" ")[1]));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], site: { rewrite } });
  const got: (string | number)[] = [];
  for (const target of sent) {
    const response = await exchange(proxy.port, get(target, lines));
    got.push(statusOf(response) === 200 ? text(response.body) : statusOf(response));
  }
  return got;
}

Deno.test("rewrite takes exact paths, prefixes, named parts and expressions: the first that fits, once", async () => {
  const rewrite = [
    { from: "/old", to: "/new" },
    { from: "/new", to: "/newest" },
    { from: "/users/:id/posts/:post", to: "/posts/{post}/of/{id}" },
    { from: "/docs/*", to: "/v2/docs/{*}" },
    { from: "~/p(?<id>[0-9]+)[.]html", to: "/page/{id}" },
  ];
  const sent = ["/old", "/%6fld", "/new", "/users/7/posts/9", "/docs/a/b", "/docs", "/p12.html", "/other"];
  assertEquals(await targets(rewrite, sent), [
    ...["/new", "/new", "/newest", "/posts/9/of/7", "/v2/docs/a/b", "/docs", "/page/12", "/other"],
  ]);
  const byHost = [{ from: "http://site.test/*", to: "/site/{*}" }, { from: "http://b.test/*", to: "/b/{*}" }];
  assertEquals(await targets(byHost, ["/x"]), ["/site/x"]);
});

Deno.test("rewrite keeps the query, replaces it, adds to it, or drops it", async () => {
  const rewrite = [
    { from: "/keep", to: "/k" },
    { from: "/replace/:id", to: "/r?id={id}" },
    { from: "/add/:id", to: "/a?id={id}&{query}" },
    { from: "/before", to: "/b?{query}&x=1" },
    { from: "/drop", to: "/d?" },
    { from: "/same/:id", to: "{path}?id={id}" },
  ];
  const sent = [
    "/keep?a=1&b",
    "/keep",
    "/keep?",
    "/replace/7?a=1",
    "/add/7?a=1&b=%26",
    "/add/7",
    "/before?a",
    "/before",
  ];
  assertEquals(await targets(rewrite, [...sent, "/drop?a=1", "/same/7?a=1"]), [
    ...["/k?a=1&b", "/k", "/k?", "/r?id=7", "/a?id=7&a=1&b=%26", "/a?id=7", "/b?a&x=1", "/b?x=1", "/d", "/same/7?id=7"],
  ]);
});

Deno.test("rewrite leaves what is encoded encoded, and no value becomes more than it is", async () => {
  const rewrite = [
    { from: "/path/*", to: "/p/{*}" },
    { from: "/query/:id", to: "/q?id={id}" },
    { from: "/header/*", to: "/h/{header.x}?x={header.x}" },
    { from: "/from-query", to: "/f/{query}" },
    { from: "/parameter", to: "/v?v={query.b}&{query}" },
  ];
  const sent = [
    "/path/a%2Fb%3Fc%20d",
    "/path//a",
    "/query/a%26b",
    "/query/a&b=c+d;e",
    "/from-query?a=/b?c%2F",
    "/parameter?a=1&b=x%26y",
  ];
  assertEquals(await targets(rewrite, sent), [
    ...[
      "/p/a%2Fb%3Fc%20d",
      "/p/a",
      "/q?id=a%26b",
      "/q?id=a%26b%3Dc%2Bd%3Be",
      "/f/a=/b%3Fc%2F?a=/b?c%2F",
      "/v?v=x%26y&a=1&b=x%26y",
    ],
  ]);
  assertEquals(await targets(rewrite, ["/header/"], "X: a/../b\r\n"), [400]);
  assertEquals(await targets(rewrite, ["/header/"], "X: a/b?c&d%2e e\xe9\r\n"), [
    "/h/a%2Fb%3Fc%26d%252e%20e%E9?x=a%2Fb%3Fc%26d%252e%20e%E9",
  ]);
});

Deno.test("rewrite refuses what climbs, however it is written, and what servers read in two ways", async () => {
  const rewrite = [
    { from: "/old/*", to: "/new/{*}" },
    { from: "/user/:id", to: "/home/{id}/" },
    { from: "~/(?<a>..)x(?<b>..)", to: "/in/{a}/{b}" },
    { from: "/secret", to: "/hidden" },
  ];
  const refused = [
    ...["/old/../x", "/old/..", "/old/%2e%2e/x", "/old/a%2F..%2F..%2Fx", "/old/a/..;/x", "/old/a/../b", "/user/.."],
    ...["/user/.", "/..xab", "/abx..", "/x/../secret", "/x/..%2Fsecret", "/x//../secret", "/old/%zz"],
  ];
  assertEquals(await targets(rewrite, refused), refused.map(() => 400));
  assertEquals(await targets(rewrite, ["/old/...", "/x/../other", "/old/a..b"]), [
    "/new/...",
    "/x/../other",
    "/new/a..b",
  ]);
});

Deno.test("rewrite of all paths leaves those of tokens alone, and none that leads elsewhere from there", async () => {
  const tokens = "/.well-known/acme-challenge/";
  const sent = [
    "/x",
    `${tokens}a-B_1`,
    `${tokens}../../x`,
    `${tokens}%2e%2e/x`,
    `${tokens}..`,
    `${tokens}a%2F..%2F..%2Fx`,
  ];
  assertEquals(await targets([{ from: "/*", to: "/public/{*}" }], sent), [
    ...["/public/x", `${tokens}a-B_1`, 400, 400, 400, 400],
  ]);
});

const FILES = { "a.txt": "a", "in/b.txt": "b", "in/index.html": "in", "in/deep/index.html": "deep" };

/** A site with files and routes, whose upstream answers with what it got, and which logs. */
async function withSite(work: (proxy: LoggedProxy, upstream: ScriptedUpstream) => Promise<void>): Promise<void> {
  await inTemporaryFolder(FILES, async (folder) => {
    await using upstream = ScriptedUpstream.answering(({ firstLine }) =>
      answerOf(firstLine.split(" ")[1], "Location: /login\r\n")
    );
    await using proxy = await LoggedProxy.start({
      upstreams: [upstream.url],
      site: {
        static_dir: folder,
        internal_api: true,
        redirects: [{ from: "/moved/*", to: "/to/{*}" }, { from: "/api/redirected", to: "/never" }],
        rewrite: [
          { from: "/moved/*", to: "/a.txt" },
          { from: "/healthz", to: "/api/health/live" },
          { from: "/v1/*", to: "/api/{*}" },
          { from: "/files/*", to: "/in/{*}" },
          { from: "/folder", to: "/in" },
          { from: "/appp", to: "/app" },
          { from: "/sub/app", to: "/app" },
        ],
      },
      proxy: {
        routes: [{ path: "/api", upstream: "app", strip_prefix: true }, { path: "/app/", upstream: "app" }],
      },
    });
    await work(proxy, upstream);
  });
}

Deno.test("rewrite chooses the route, and the file; the access log has the client's path, Location the route's", async () => {
  await withSite(async (proxy, upstream) => {
    const routed = await exchange(proxy.port, get("/v1/users?q=1"));
    assertEquals([text(routed.body), header(routed, "location")], ["/users?q=1", "/api/login"]);
    assertEquals(header(upstream.requests[0], "x-forwarded-prefix"), "/api");
    assertEquals((await proxy.accessLine("/v1/users?q=1")).status, 200);
    assertEquals(text((await exchange(proxy.port, get("/files/b.txt"))).body), "b");
    assertEquals(text((await exchange(proxy.port, get("/files/"))).body), "in");
    assertEquals(text((await exchange(proxy.port, get("/healthz"))).body), '{"status":"alive"}\n');
    assertEquals(statusOf(await exchange(proxy.port, get("/files/none"))), 404);
  });
});

Deno.test("redirects come before rewrites, by the client's path, and those to a slash lead to it", async () => {
  await withSite(async (proxy) => {
    const led = async (target: string) => {
      const response = await exchange(proxy.port, get(target));
      return [statusOf(response), header(response, "location") ?? text(response.body)];
    };
    assertEquals(await led("/moved/x?q"), [308, "/to/x?q"]);
    assertEquals(await led("/v1/redirected"), [200, "/api/login"]);
    assertEquals(await led("/files/deep?q"), [308, "/files/deep/?q"]);
    assertEquals((await led("//files/deep"))[0], 404);
    // A redirect to a path that is rewritten again would not end.
    assertEquals(await led("/folder"), [200, "in"]);
    assertEquals(await led("/sub/app?q"), [308, "/sub/app/?q"]);
    assertEquals((await led("/appp"))[0], 404);
  });
});

Deno.test("an explanation shows what a request is rewritten to", async () => {
  await withSite(async ({ server, port }) => {
    const told = async (target: string) => {
      const request = { method: "GET", url: `http://127.0.0.1:${port}${target}`, client: "127.0.0.1" };
      const { rewritten, request: { path }, outcome, why, route, files, forward } = await explain(
        server.generation,
        { ...request, headers: new Headers() },
        { ports: [port] },
      );
      return [path, rewritten, outcome, why, route?.path, files?.tried.at(-1), forward?.head[0]];
    };
    assertEquals(await told("/v1/x?q=1"), [
      ...["/v1/x", "/api/x?q=1", "upstream", "a route takes it", "/api", undefined, "GET /x?q=1 HTTP/1.1"],
    ]);
    assertEquals(await told("/files/b.txt"), [
      ...["/files/b.txt", "/in/b.txt", "files", "a file of the site", undefined, "/in/b.txt", undefined],
    ]);
    assertEquals((await told("/a.txt")).slice(0, 3), ["/a.txt", null, "files"]);
    assertEquals((await told("/moved/x")).slice(0, 4), ["/moved/x", null, "redirect", "a redirect of the site"]);
    assertEquals((await told("/healthz")).slice(1, 3), ["/api/health/live", "endpoint"]);
  });
});

Deno.test("parseConfig() refuses rewrites that leave the site, climb, or are never used", () => {
  const site = '[[sites]]\nstatic_dir = "/"\n[[sites.rewrite]]\n';
  const to = 'a path such as "/new/{*}" or "/index.php?page={page}&{query}", percent-encoded';
  assertErrors(`${site}from = "/a"\nto = «"https://example.com/"»`, [
    `to leads to a URL, and a rewrite stays within the site, expected ${to}; or [[sites.redirects]]`,
  ]);
  assertErrors(`${site}from = "/a"\nto = «"b"»`, [`to is "b", expected ${to}`]);
  const path = 'expected a path without "." and "..", with placeholders that are known';
  assertErrors(`${site}from = "/a/*"\nto = «"/b/../{*}"»`, [`it has a segment "." or "..", ${path}`]);
  assertErrors(`${site}from = "/a/*"\nto = «"/b/%zz"»`, [`"%" stands in it without two hexadecimal digits, ${path}`]);
  assertErrors(`${site}from = "/a"\nto = "/b"\n[[sites.rewrite]]\nfrom = «"/a"»\nto = "/c"`, [
    "the rewrite is never used: sites.rewrite[0] is for the same requests, expected another from",
  ]);
});

Deno.test("what is logged in formats of one's own, and what headers are told, is of the client's path and query", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(header(request, "x-uri") ?? ""));
  let logged = "";
  const keep = (bytes: Uint8Array) => Promise.resolve(void (logged += new TextDecoder().decode(bytes)));
  const log = new Log(() => Promise.resolve(), { output: "main", open: () => keep });
  const { config } = resolveConfig(configOf({
    upstreams: [upstream.url],
    site: {
      rewrite: [{ from: "/a", to: "/b?c=1" }],
      access_log: { output: "/own", format: "{uri} {path} {query}" },
    },
    proxy: { headers: { request: { set: { "X-Uri": "{path}?{query} {query.x}" } } } },
  }));
  const server = await startServer(config, { log });
  try {
    assertEquals(text((await exchange(server.addresses[0].port, get("/a?x=2"))).body), "/a?x=2 2");
    assertEquals(upstream.requests[0].firstLine, "GET /b?c=1 HTTP/1.1");
    await until("the request is logged", () => logged !== "");
  } finally {
    await server.stop();
  }
  assertEquals(logged, "/a?x=2 /a x=2\n");
});
