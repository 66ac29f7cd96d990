// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import type { Middleware } from "../../lib/listener/middleware.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { loadMiddleware, MiddlewareError } from "../../lib/process/load_middleware.ts";
import { startServer } from "../../lib/process/server.ts";

interface Line {
  status: number;
  request_id: string;
  path: string;
  bytes: number;
  site: string;
  cause?: string;
}

/** Responses through `middleware` to requests for a site with one file, and the lines of its log. */
async function through(
  middleware: Middleware[],
  requests: (string | Request)[],
): Promise<{ responses: Response[]; texts: string[]; lines: Line[] }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.txt`, "file");
    await Deno.mkdir(`${folder}/other`);
    const handler = createHandler({
      logging: { output: "log" },
      sites: [{
        name: "files",
        static_dir: ".",
        headers: { "x-site": "yes" },
        internal_api: false,
      }],
    }, { middleware, baseDir: folder, log: true });
    const responses: Response[] = [];
    const texts: string[] = [];
    for (const request of requests) {
      const given = typeof request === "string" ? new Request(`http://a.test${request}`) : request;
      const response = await handler(given);
      responses.push(response);
      texts.push(await response.text());
    }
    await handler.close();
    const log = await Deno.readTextFile(`${folder}/log`);
    return { responses, texts, lines: log.trim().split("\n").map((line) => JSON.parse(line)) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a response that middleware makes has its line in the log, its request id and the site's header fields", async () => {
  const guard: Middleware = () => new Response("no", { status: 401, headers: { "www-authenticate": "Basic" } });
  const { responses: [response], texts, lines } = await through([guard], ["/a.txt"]);
  assertEquals([response.status, texts], [401, ["no"]]);
  assertEquals(response.headers.get("x-site"), "yes");
  assertEquals(lines.map(({ status, path, bytes, site }) => [status, path, bytes, site]), [[
    401,
    "/a.txt",
    2,
    "files",
  ]]);
  assertEquals(response.headers.get("x-request-id"), lines[0].request_id);
});

Deno.test("middleware sees responses of BWS, and changes them; the log has what went out", async () => {
  const upper: Middleware = async (request, next) => {
    const response = await next(request);
    return new Response((await response.text()).toUpperCase() + "!", { status: 203, headers: { "x-site": "mine" } });
  };
  const { responses: [response], texts, lines } = await through([upper], ["/a.txt"]);
  assertEquals([response.status, texts, response.headers.get("x-site")], [203, ["FILE!"], "mine"]);
  assertEquals(lines.map(({ status, bytes }) => [status, bytes]), [[203, 5]]);
});

Deno.test("middleware that changes nothing changes nothing, and one that changes header fields changes those", async () => {
  const plain: Middleware = (request, next) => next(request);
  const marking: Middleware = async (request, next) => {
    const response = await next(request);
    response.headers.set("x-mark", "1");
    return response;
  };
  const { responses, texts, lines } = await through([plain, marking], ["/a.txt", "/missing"]);
  assertEquals(responses.map(({ status, headers }) => [status, headers.get("x-mark"), headers.get("x-site")]), [
    ...[[200, "1", "yes"], [404, "1", "yes"]],
  ]);
  assertEquals(texts[0], "file");
  assertEquals(lines.map(({ status, bytes }) => [status, bytes]), [[200, 4], [404, texts[1].length]]);
  assertStringIncludes(lines[1].cause ?? "", "no file");
});

Deno.test("middleware may pass another request on: that one is logged", async () => {
  const rewrite: Middleware = (_, next) => next(new Request("http://a.test/a.txt"));
  const { texts, lines } = await through([rewrite], ["/elsewhere"]);
  assertEquals([texts, lines.map(({ path }) => path)], [["file"], ["/a.txt"]]);
});

Deno.test("each further request that middleware passes on is an exchange of its own", async () => {
  const twice: Middleware = async (request, next) => {
    const first = await (await next(request)).text();
    return new Response(first + await (await next(request)).text());
  };
  const { texts, lines } = await through([twice], ["/a.txt"]);
  assertEquals(texts, ["filefile"]);
  assertEquals(lines.map(({ bytes }) => bytes).toSorted(), [4, 8]);
});

Deno.test("what middleware throws is a 500 that gives the client nothing and the log everything", async () => {
  const broken: Middleware = () => Promise.reject(new Error("secret"));
  const odd = (() => undefined) as unknown as Middleware;
  for (const [middleware, cause] of [[broken, "Error: secret"], [odd, "expected a Response"]] as const) {
    const { responses: [response], texts, lines } = await through([middleware], ["/a.txt"]);
    assertEquals([response.status, texts[0].includes("secret")], [500, false]);
    assertEquals(lines.map(({ status }) => status), [500]);
    assertStringIncludes(lines[0].cause ?? "", cause);
  }
});

Deno.test("middleware that does not return holds nothing once its client has left: 499 in the log", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.txt`, "file");
    const entered = Promise.withResolvers<void>();
    const hanging: Middleware = () => {
      entered.resolve();
      return new Promise<Response>(() => {});
    };
    const handler = createHandler({ logging: { output: "log" }, sites: [{ static_dir: "." }] }, {
      ...{ middleware: [hanging], baseDir: folder, log: true },
    });
    const client = new AbortController();
    const responded = handler(new Request("http://a.test/a.txt", { signal: client.signal }));
    await entered.promise;
    client.abort();
    assertEquals((await responded).status, 499);
    await handler.close();
    const line: Line = JSON.parse(await Deno.readTextFile(`${folder}/log`));
    assertEquals([line.status, line.cause], [499, "The client left while middleware had its request"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a stream that middleware makes ends its exchange when it ends, and is cut when it breaks off", async () => {
  const streamed = (break_: boolean): Middleware => () => {
    let left = 3;
    return new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          if (left-- > 0) controller.enqueue(new TextEncoder().encode("piece"));
          else if (break_) controller.error(new Error("gone"));
          else controller.close();
        },
      }),
    );
  };
  const { texts, lines } = await through([streamed(false)], ["/a.txt"]);
  assertEquals([texts, lines.map(({ bytes }) => bytes)], [["piecepiecepiece"], [15]]);
  const failed = await through([streamed(true)], ["/a.txt"]).catch((error) => error);
  assertStringIncludes(String(failed), "cut short: gone");
});

Deno.test("a response whose body middleware has read is a 500, not an empty response", async () => {
  const reading: Middleware = async (request, next) => {
    const response = await next(request);
    await response.text();
    return response;
  };
  const locking: Middleware = async (request, next) => {
    const response = await next(request);
    response.body?.getReader();
    return response;
  };
  for (const middleware of [reading, locking]) {
    const { lines } = await through([middleware], ["/a.txt"]);
    assertEquals(lines.map(({ status }) => status), [500]);
    assertStringIncludes(lines[0].cause ?? "", "whose body it had read");
  }
});

Deno.test("a response that middleware throws away is cancelled, and so is its upstream", async () => {
  const discarding: Middleware = async (request, next) => {
    await next(request);
    return new Response("own");
  };
  const failing: Middleware = async (request, next) => {
    await next(request);
    throw new Error("failed");
  };
  for (const middleware of [discarding, failing]) {
    const cancelled = Promise.withResolvers<void>();
    await using upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
          cancel: () => cancelled.resolve(),
        }),
      ));
    const handler = createHandler(proxyTo(upstream.addr.port), { middleware: [middleware] });
    await (await handler(new Request("http://a.test/"))).text();
    await cancelled.promise;
    await handler.close();
  }
});

Deno.test("a WebSocket that middleware does not return is closed, and its port goes on", async () => {
  await using upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    if (!request.headers.has("upgrade")) return new Response("plain");
    return Deno.upgradeWebSocket(request).response;
  });
  const own: Middleware = async (request, next) => {
    const response = await next(request);
    return response.status === 101 ? new Response("own") : response;
  };
  const failing: Middleware = async (request, next) => {
    const response = await next(request);
    if (response.status === 101) throw new Error("failed");
    return response;
  };
  for (const middleware of [own, failing]) {
    const handler = createHandler(proxyTo(upstream.addr.port), { middleware: [middleware] });
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
    const address = `127.0.0.1:${server.addr.port}`;
    const closed = Promise.withResolvers<number>();
    const socket = new WebSocket(`ws://${address}/`);
    socket.onclose = ({ code }) => closed.resolve(code);
    assertEquals(await closed.promise, 1011);
    assertEquals(await (await fetch(`http://${address}/`)).text(), "plain");
    await handler.close();
  }
});

/** A config that proxies to a port of this machine. */
function proxyTo(port: number): ConfigInput {
  return {
    sites: [{
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${port}` }],
        routes: [{ path: "/", upstream: "app", websocket: true }],
      },
    }],
  };
}

/** A config with this module of middleware, in a folder of its own. */
async function served(module: string, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.txt`, "file");
    await Deno.writeTextFile(`${folder}/middleware.ts`, module);
    await Deno.writeTextFile(`${folder}/config.toml`, CONFIG);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const CONFIG = `[server]
middleware = "./middleware.ts"
[[sites]]
name = "files"
listen = "127.0.0.1"
port = 0
static_dir = "."
`;

const REFUSING = (status: number) => `
const refuse = (request: Request, next: (request: Request) => Promise<Response>): Response | Promise<Response> =>
  request.url.endsWith("/a.txt") ? next(request) : new Response("refused", { status: ${status} });
export const filters = [refuse];
`;

Deno.test("[server] middleware is loaded from the folder of the config, and anew with a reload", async () => {
  await served(REFUSING(401), async (folder) => {
    const load = async () => (await loadConfig(`${folder}/config.toml`)).config;
    const server = await startServer(await load());
    try {
      const base = `http://127.0.0.1:${server.addresses[0].port}`;
      const ask = async (path: string) => {
        const response = await fetch(base + path);
        return [response.status, await response.text(), response.headers.has("x-request-id")];
      };
      assertEquals([await ask("/a.txt"), await ask("/b")], [[200, "file", true], [401, "refused", true]]);
      await Deno.writeTextFile(`${folder}/middleware.ts`, REFUSING(403).replace("filters =", "nothing ="));
      await assertRejects(async () => await server.reload(await load()), Error, `${folder}/middleware.ts`);
      assertEquals((await ask("/b"))[0], 401);
      await Deno.writeTextFile(`${folder}/middleware.ts`, `${REFUSING(403)}export default refuse;`);
      await server.reload(await load());
      assertEquals((await ask("/b"))[0], 403);
    } finally {
      await server.stop();
    }
  });
});

Deno.test("loadMiddleware() names the file and the reason where a module cannot be used", async () => {
  const cases: [string, string][] = [
    ["export const x = 1", "found no such export among x, expected filters"],
    ["export const filters = [1]", "found an array with number in it"],
    ["export const filters = []", "found an array with nothing in it"],
    ["export default 5", "found number"],
    ["throw new Error('broken')", "broken"],
    ["const =", "Cannot load the middleware"],
  ];
  for (const [module, reason] of cases) {
    await served(module, async (folder) => {
      const error = await assertRejects(() => loadMiddleware(`${folder}/middleware.ts`), MiddlewareError);
      assertStringIncludes(error.message, `${folder}/middleware.ts`);
      assertStringIncludes(error.message, reason);
    });
  }
  await served("export default () => new Response('x')", async (folder) => {
    assertEquals((await loadMiddleware(`${folder}/middleware.ts`)).length, 1);
  });
});

Deno.test("bws check loads the middleware, and says why it cannot", async () => {
  await served("export const filters = 'none'", async (folder) => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("../../main.ts", import.meta.url).pathname, "check", `${folder}/config.toml`],
      ...{ stdout: "null", stderr: "piped", env: { NO_COLOR: "1" } },
    }).output();
    assertEquals(success, false);
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      `Cannot use the middleware ${folder}/middleware.ts: found string`,
    );
  });
});

Deno.test("examples/middleware.ts guards a folder and marks each response", async () => {
  await served("", async (folder) => {
    const path = new URL("../../examples/middleware.ts", import.meta.url).pathname;
    const text = CONFIG.replace("./middleware.ts", path);
    await Deno.writeTextFile(`${folder}/config.toml`, text);
    await Deno.mkdir(`${folder}/private`);
    await Deno.writeTextFile(`${folder}/private/a.txt`, "private");
    const { config } = await loadConfig(`${folder}/config.toml`);
    const server = await startServer(config);
    try {
      const base = `http://127.0.0.1:${server.addresses[0].port}`;
      const got = [];
      for (const name of ["/a.txt", "/private/a.txt", "/missing"]) {
        const response = await fetch(base + name);
        await response.body?.cancel();
        got.push([response.status, response.headers.get("x-served-by"), response.headers.has("x-request-id")]);
      }
      assertEquals(got, [[200, "bws", true], [401, "bws", true], [404, "bws", true]]);
    } finally {
      await server.stop();
    }
  });
});
