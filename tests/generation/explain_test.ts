/**
 * Explanations of requests, held against what the same server then does with them.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { explain } from "../../lib/generation/explain.ts";
import type { Explanation } from "../../lib/generation/explanation.ts";
import { Generation } from "../../lib/generation/generation.ts";
import { startServer } from "../../lib/process/server.ts";
import { statusOf } from "../support/message_reader.ts";
import { RawClient } from "../support/raw_client.ts";
import { replying, statusAnswer } from "../support/replying_upstream.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

/** A config with two ports, whose sites share the first. */
function configText(folder: string, upstreamPort: number, port = 0): string {
  const app = `[[sites.proxy.upstreams]]\nname = "app"\nurl = "http://127.0.0.1:${upstreamPort}/base"\nweight = 3\n`;
  return `
[server]
trusted_proxies = ["127.0.0.0/8"]
[[sites]]
name = "shop"
hostname = "shop.example"
hostnames = ["*.shop.example"]
listen = "127.0.0.1"
port = ${port}
static_dir = "${folder}"
try_files = ["$path", "$path/", "/404.txt"]
${app}
[[sites.proxy.routes]]
path = "/api/"
upstream = "app"
strip_prefix = true
[[sites.proxy.routes]]
path = "/api"
upstream = "app"
[[sites.proxy.routes]]
path = "/api/users/:id"
pattern = true
methods = ["PUT"]
upstream = "app"
[[sites.proxy.routes]]
path = "/api/exact"
exact = true
upstream = "app"
rewrite_target = "/elsewhere"
preserve_host = false
[[sites.proxy.routes]]
path = "/ap"
upstream = "app"
methods = ["GET"]
${
    port === 0
      ? ""
      : `[[sites]]\nname = "api"\nlisten = "127.0.0.1"\nport = ${port}\nhostname = "api.shop.example"\n${app}`
  }
`;
}

function parsed(text: string) {
  const { config, problems } = parseConfig(text, { env: (name) => ENV[name] });
  assertEquals(problems, []);
  if (config === undefined) throw new Error("The config is refused");
  return config;
}

const ENV: Record<string, string> = { SECRET: "hunter2hunter2", SHORT: "xyz" };

const FILES = Object.fromEntries(["index.html", "docs/index.html", "a.txt", "404.txt"].map((name) => [name, name]));
const inFolder = (work: (folder: string) => Promise<void>) => inTemporaryFolder(FILES, work);

/** Explains by a config alone, as the command does. */
async function explained(
  text: string,
  url: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Explanation> {
  const generation = new Generation(parsed(text));
  try {
    return await explain(generation, { method, url, headers: new Headers(headers), client: "127.0.0.1" });
  } finally {
    generation.close();
  }
}

Deno.test("explain() gives what the server then does: status, Location, route, and every line that goes upstream", async () => {
  await inFolder(async (folder) => {
    await using upstream = replying(statusAnswer(200, "from upstream"));
    const server = await startServer(parsed(configText(folder, upstream.port)));
    const { port } = server.addresses[0];
    const cases = [
      ...["/api/users/7?x=1&y=%20", "/api/exact", "/api", "/ap/x", "/api/a/../b", "/%61pi/x"],
      ...[
        "/",
        "/a.txt",
        "/docs",
        "/docs/",
        "/nope",
        "/api/../a.txt",
        "/x/../../y",
        "/%zz",
        "/api/health",
        "/api/config",
      ],
    ];
    const seen = { upstream: 0, files: 0, redirect: 0, refused: 0, endpoint: 0 };
    try {
      for (const target of cases) {
        for (const method of ["GET", "HEAD", "PUT", "OPTIONS"]) {
          const lines = ["X-Forwarded-For: 192.0.2.1, 10.0.0.1", "X-A: b", "Via: 1.0 before"];
          const url = `http://a.shop.example:${port}${target}`;
          const headers = new Headers(lines.map((line) => line.split(": ") as [string, string]));
          const told = await explain(
            server.generation,
            { method, url, headers, client: "127.0.0.1" },
            { ports: [port] },
          );
          const before = upstream.requests.length;
          const client = await RawClient.connect(port);
          await client.send(
            `${method} ${target} HTTP/1.1\r\nHost: a.shop.example:${port}\r\n${lines.join("\r\n")}\r\n\r\n`,
          );
          const answer = await client.answer(method);
          client.close();
          const what = `${method} ${target}`;
          const status = statusOf(answer);
          seen[told.outcome]++;
          assertEquals(upstream.requests.length - before, told.outcome === "upstream" ? 1 : 0, what);
          assertEquals(told.site?.name, "shop", what);
          if (told.status !== null) assertEquals(status, told.status, what);
          if (told.location !== null) {
            assertEquals(answer.headers.find(([name]) => name.toLowerCase() === "location")?.[1], told.location, what);
          }
          if (told.outcome !== "upstream") continue;
          assertEquals(status, 200, what);
          assertEquals(told.pool?.name, "app");
          const got = upstream.requests[before].head.split("\r\n").filter((line) => line !== "");
          const comparable = (line: string) => line.replace(/^(x-request-id): .*$/i, "$1");
          assertEquals(told.forward?.head.map(comparable), got.map(comparable), what);
        }
      }
    } finally {
      await server.stop();
    }
    assert(Object.values(seen).every((count) => count > 1), JSON.stringify(seen));
  });
});

Deno.test("explain() shows a WebSocket handshake as it is sent, and refuses one that the server refuses", async () => {
  await using upstream = replying(statusAnswer(403, "no"));
  const text = `[[sites]]\nlisten = "127.0.0.1"\nport = 0\n[[sites.proxy.upstreams]]\nname = "app"
url = "http://127.0.0.1:${upstream.port}/base"
[[sites.proxy.routes]]\npath = "/ws"\nupstream = "app"\nwebsocket = true
[[sites.proxy.routes]]\npath = "/plain"\nupstream = "app"\n`;
  // In the order in which an explanation has them.
  const lines = [
    "Connection: Upgrade",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: a, b",
    "Sec-WebSocket-Version: 13",
    "Upgrade: websocket",
  ];
  const server = await startServer(parsed(text));
  try {
    const { port } = server.addresses[0];
    const toldOf = async (target: string, given: string[]) => {
      const headers = new Headers(given.map((line) => line.split(": ") as [string, string]));
      const request = { method: "GET", url: `ws://127.0.0.1:${port}${target}`, headers, client: "127.0.0.1" };
      return await explain(server.generation, request, { ports: [port] });
    };
    for (const [target, socket] of [["/ws?a=b", true], ["/plain", false]] as const) {
      const told = await toldOf(target, lines);
      assertEquals([told.outcome, told.forward?.websocket], ["upstream", socket]);
      assertEquals(told.why, socket ? "a route takes it, as a WebSocket handshake" : "a route takes it");
      const client = await RawClient.connect(port);
      await client.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join("\r\n")}\r\n\r\n`);
      assertEquals(statusOf(await client.answer("GET")), 403);
      client.close();
      const got = upstream.requests.at(-1)?.head.split("\r\n").filter((line) => line !== "");
      const comparable = (line: string) => line.replace(/^(x-request-id|sec-websocket-key): .*$/i, "$1");
      assertEquals(told.forward?.head.map(comparable), got?.map(comparable));
      assertEquals(told.forward?.head.includes("upgrade: websocket"), socket);
      assert(told.forward?.head.every((line) => !line.includes("dGhlIHNhbXBsZSBub25jZQ==") || !socket));
    }
    const old = await toldOf("/ws", lines.map((line) => line.replace("13", "8")));
    assertEquals([old.outcome, old.status, old.files], ["refused", 426, null]);
    assertEquals(old.why, 'The WebSocket version is "8", expected 13');
  } finally {
    await server.stop();
  }
});

Deno.test("explain() says of a GET with a body what the listener of the config does", async () => {
  await using upstream = replying(statusAnswer(200, "from upstream"));
  const rest = `[[sites]]\nlisten = "127.0.0.1"\nport = 0\n[[sites.proxy.upstreams]]\nname = "app"
url = "http://127.0.0.1:${upstream.port}"\n[[sites.proxy.routes]]\npath = "/"\nupstream = "app"\n`;
  for (const [listener, forwarded] of [["own", true], ["runtime", false]] as const) {
    const server = await startServer(parsed(`[server]\nlistener = "${listener}"\n${rest}`));
    try {
      const { port } = server.addresses[0];
      for (
        const [line, body] of [["Content-Length: 5", "hello"], [
          "Transfer-Encoding: chunked",
          "5\r\nhello\r\n0\r\n\r\n",
        ]]
      ) {
        const headers = new Headers([line.split(": ") as [string, string], ["TE", "trailers"]]);
        const request = { method: "GET", url: `http://127.0.0.1:${port}/`, headers, client: "127.0.0.1" };
        const told = await explain(server.generation, request, { ports: [port] });
        const client = await RawClient.connect(port);
        await client.send(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${line}\r\nTE: trailers\r\n\r\n${body}`);
        assertEquals(statusOf(await client.answer("GET")), forwarded ? 200 : 501);
        client.close();
        assertEquals(told.outcome, forwarded ? "upstream" : "refused");
        assertEquals(told.status, forwarded ? null : 501);
        const got = forwarded ? upstream.requests.at(-1)?.head.split("\r\n").filter((sent) => sent !== "") : undefined;
        const comparable = (sent: string) => sent.replace(/^(x-request-id): .*$/i, "$1");
        assertEquals(told.forward?.head.map(comparable), got?.map(comparable));
      }
    } finally {
      await server.stop();
    }
  }
  // Middleware is given a `Request`, which has no body of a GET.
  const config = parsed(`[server]\nlistener = "own"\n${rest}`);
  const generation = new Generation({ ...config, server: { ...config.server, middleware: "/filters.ts" } });
  const headers = new Headers({ "content-length": "5" });
  const told = await explain(generation, { method: "GET", url: "/", headers, client: "127.0.0.1" });
  generation.close();
  assertEquals([told.outcome, told.status], ["refused", 501]);
});

Deno.test("explain() and the log say why the file server refuses a request", async () => {
  await inFolder(async (folder) => {
    const text = configText(folder, 1).replace(', "/404.txt"', "");
    const cases: [method: string, target: string, status: number, why: string][] = [
      ["GET", "/a%2fb", 404, "An encoded slash or backslash names no file"],
      ["GET", "/none", 404, "No route and no file takes this path"],
      ["GET", "/.git/config", 404, "Names that begin with a dot are not served: dotfiles is false"],
      ["POST", "/a.txt", 405, "Files take GET and HEAD, and no route takes POST"],
      ["GET", "/%00", 400, "The path is not percent-encoded UTF-8, or holds a control character"],
    ];
    for (const [method, target, status, why] of cases) {
      const told = await explained(text, `http://shop.example${target}`, { method });
      assertEquals([told.status, told.why, told.files !== null], [status, why, true], target);
    }
    const range = { range: "bytes=99999-" };
    const told = await explained(text, "http://shop.example/a.txt", { headers: range });
    assertEquals([told.status, told.why], [416, "No part of what Range asks for lies in the file"]);
    // Refused for its dot segments: no file is looked for.
    const dots = await explained(text, "http://shop.example/api/../a.txt");
    assertEquals([dots.status, dots.files], [400, null]);
  });
});

Deno.test("explain() says why each other route does not take the request", async () => {
  await inFolder(async (folder) => {
    const text = configText(folder, 1);
    const why = async (method: string, target: string) => {
      const { route, otherRoutes } = await explained(text, `http://shop.example${target}`, { method });
      const others = otherRoutes.map((other) => [other.path, other.why]);
      return { route: route === null ? null : [route.path, route.why], others: Object.fromEntries(others) };
    };
    assertEquals(await why("GET", "/api/users/7"), {
      route: ["/api/", "the longest prefix of the path"],
      others: {
        "/api": "longer prefix won",
        "/api/users/:id": "method not allowed, only PUT",
        "/api/exact": "path does not match",
        "/ap": "path does not match: prefixes end on a segment",
      },
    });
    assertEquals((await why("PUT", "/api/users/7")).others["/api/"], "a pattern won, which comes before prefixes");
    assertEquals((await why("GET", "/api/exact")).others["/api"], "an exact path won");
    assertEquals((await why("GET", "/api/exact/x")).others["/api/exact"], "path does not match: it is exact");
    assertEquals((await why("GET", "/api")).others["/api/"], 'path does not match: it lacks the "/" at its end');
    assertEquals(await why("POST", "/ap"), {
      route: null,
      others: {
        "/ap": "method not allowed, only GET",
        "/api/": "path does not match",
        "/api": "path does not match",
        "/api/users/:id": "path does not match",
        "/api/exact": "path does not match",
      },
    });
  });
});

Deno.test("explain() says which site takes the request, and why the others of its port do not", async () => {
  await inFolder(async (folder) => {
    const text = configText(folder, 1, 8080);
    const why = async (host: string) => {
      const { site, otherSites } = await explained(text, `http://${host}:8080/x`);
      return [site?.name, site?.why, ...otherSites.flatMap(({ name, why }) => [name, why])];
    };
    assertEquals(await why("API.shop.example"), [
      ...["api", '"api.shop.example" is one of its names', "shop", "its wildcard matches, but an exact name wins"],
    ]);
    assertEquals(await why("x.shop.example"), [
      ...["shop", '"x.shop.example" is below one of its wildcards', "api", "host does not match"],
    ]);
    assertEquals(await why("other.example"), [
      ...["shop", 'no site of the port names "other.example", and it is the first', "api", "host does not match"],
    ]);
  });
});

Deno.test("explain() notes its assumptions, and says where nothing listens", async () => {
  await inFolder(async (folder) => {
    const text = configText(folder, 1, 8080) + `[[sites]]\nport = 9090\nstatic_dir = "${folder}"\n`;
    const path = await explained(text, "/a.txt");
    assertEquals([path.request.url, path.listener, path.site?.name], [
      ...["http://shop.example:8080/a.txt", "127.0.0.1:8080", "shop"],
    ]);
    assertEquals(path.notes, ["The URL names no host: taken for shop.example:8080"]);
    const named = await explained(text, "/a.txt", { headers: { host: "api.shop.example:8080" } });
    assertEquals([named.site?.name, named.notes], ["api", []]);
    const nowhere = await explained(text, "http://shop.example/");
    assertEquals([nowhere.outcome, nowhere.status, nowhere.listener, nowhere.site], ["refused", null, null, null]);
    assertEquals(nowhere.why, "No site listens on port 80; this config listens on 8080, 9090");
    const refused = await explained(text, "http://shop.example:8080/", { headers: { host: "a/b" } });
    assertEquals([refused.outcome, refused.status, refused.why], ["refused", 400, "Host is no authority"]);
    const idn = await explained(text, "http://bücher.example:8080/");
    assertEquals(idn.request.host, "xn--bcher-kva.example");
    const socket = await explained(text, "WS://shop.example:8080/api/chat?a");
    assertEquals([socket.request.url, socket.route?.path, socket.notes], [
      ...["http://shop.example:8080/api/chat?a", "/api/"],
      ["ws:// is taken for http://; the header fields of its handshake make a request a WebSocket"],
    ]);
    const secure = await explained(text, "wss://shop.example:8080/a.txt");
    assertEquals([secure.request.url, secure.request.host, secure.notes.length], [
      ...["https://shop.example:8080/a.txt", "shop.example", 2],
    ]);
    for (const url of ["ftp://shop.example/x", "file:///etc/hosts"]) {
      await assertRejects(() => explained(text, url), TypeError, "expected http, https, ws or wss");
    }
    for (const url of ["x", ""]) await explained(text, url).catch((error) => assert(error instanceof TypeError));
    await assertRejects(() => explained(text, "?x"), TypeError, "is no URL");
  });
});

Deno.test("explain() gives the file that would be served, and those that were looked for", async () => {
  await inFolder(async (folder) => {
    const text = configText(folder, 1);
    const files = async (target: string) => {
      const { outcome, status, files } = await explained(text, target);
      return [outcome, status, files?.file?.slice(files.root.length), files?.tried];
    };
    const root = await Deno.realPath(folder);
    assertEquals(root, folder);
    assertEquals(await files("/a.txt"), ["files", 200, "/a.txt", ["/a.txt"]]);
    assertEquals(await files("/docs/"), ["files", 200, "/docs/index.html", ["/docs/"]]);
    assertEquals(await files("/nope"), ["files", 200, "/404.txt", ["/nope", "/nope/", "/404.txt"]]);
    assertEquals(await files("/docs"), ["redirect", 308, undefined, ["/docs", "/docs/"]]);
  });
});

Deno.test("explain() shows neither secrets nor what came into the config by ${NAME}", async () => {
  const text = `[[sites]]
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:1/\${SHORT}"
[[sites.proxy.routes]]
path = "/"
upstream = "app"
rewrite_target = "/\${SECRET}/\${SHORT}"
headers = { request = { set = { "X-Route" = "\${SHORT}" } } }
[sites.proxy.headers.request]
set = { "X-Plain" = "shown", "X-Hidden" = "\${SHORT}", Authorization = "Bearer literal" }
add = { "X-Long" = "a \${SECRET}" }
`;
  const told = await explained(text, "http://localhost:8080/x", { headers: { cookie: "session=mine" } });
  const head = told.forward?.head ?? [];
  assertEquals(head[0], "GET /********/********/x HTTP/1.1");
  assertStringIncludes(head.join("\n"), "X-Plain: shown");
  for (const name of ["X-Hidden", "Authorization", "X-Long", "X-Route", "cookie"]) {
    assert(head.includes(`${name}: ********`), name);
  }
  const all = JSON.stringify(told);
  for (const secret of ["hunter2", "xyz", "literal", "mine"]) assert(!all.includes(secret), secret);
});

Deno.test("An explained request is neither counted nor logged, and takes no place at an upstream", async () => {
  await inFolder(async (folder) => {
    const server = await startServer(
      parsed(`[management]\nenabled = true\n${configText(folder, 1)}`),
    );
    try {
      const { generation } = server;
      for (const url of ["/api/x", "/a.txt", "/nope", "/api/health", "/%zz"]) {
        await explain(generation, { method: "GET", url, headers: new Headers(), client: "127.0.0.1" });
      }
      assertEquals([generation.exchanges.endedCount, generation.underWay], [0, 0]);
      const [{ metrics, pools }] = generation.sites;
      assertEquals(metrics?.routes.map((route) => route.inFlight()).filter((count) => count !== 0), []);
      assertEquals(pools.get("app")?.upstreams.map(({ inFlight }) => inFlight), [0]);
    } finally {
      await server.stop();
    }
  });
});

Deno.test("explain() gives the settings of the route, its own before the proxy's", async () => {
  const text = `[[sites]]
max_body_size = "1MiB"
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:1"
[[sites.proxy.routes]]
path = "/"
upstream = "app"
websocket = true
[sites.proxy.routes.timeout]
read = "5m"
[sites.proxy.timeout]
read = "10s"
write = 0
`;
  const { settings } = await explained(text, "/");
  assertEquals(
    ["timeout.read", "timeout.write", "timeout.connect", "max_body_size", "retries.attempts"].map((key) =>
      settings[key]
    ),
    ["5m", "no limit", "5s", "1 MiB", "3"],
  );
  assertStringIncludes(settings.websocket, "true, ping each 30s");
});

Deno.test("explain() gives the limits of the port, whichever site sets them, and none of a listener without them", async () => {
  const text = (listener: string) =>
    `[server]
listener = "${listener}"
limits = { body_timeout = "90s" }
[[sites]]
static_dir = "/"
hostname = "a.test"
[[sites]]
static_dir = "/"
hostname = "b.test"
limits = { max_connections = 5, header_timeout = "2s", min_rate = 0 }
`;
  const limitsOf = async (listener: string) => {
    const { settings } = await explained(text(listener), "http://a.test/");
    return Object.fromEntries(Object.entries(settings).filter(([key]) => key.startsWith("limits.")));
  };
  assertEquals(await limitsOf("own"), {
    "limits.header_timeout": "2s",
    "limits.body_timeout": "90s",
    "limits.write_timeout": "1m",
    "limits.idle_timeout": "75s",
    "limits.min_rate": "no limit",
    "limits.max_header_size": "32 KiB",
    "limits.max_connections": "5",
  });
  assertEquals(await limitsOf("runtime"), {});
});
