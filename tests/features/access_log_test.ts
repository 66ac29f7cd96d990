// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { Log } from "../../lib/log/log.ts";
import type { LogSink } from "../../lib/log/sink.ts";
import { startServer } from "../../lib/process/server.ts";
import { until } from "../support/condition.ts";

type SiteInput = ConfigInput["sites"][number];
type AccessLogInput = SiteInput["access_log"];

/** Outputs in memory, and a server that writes to them. */
class Logged implements AsyncDisposable {
  readonly #text = new Map<string, string>();
  readonly #log: Log;
  readonly #upstream: Deno.HttpServer<Deno.NetAddr>;
  #server: Awaited<ReturnType<typeof startServer>> | undefined;

  private constructor(logging: ConfigInput["logging"]) {
    const open = (output: string): LogSink => (bytes, header = "") => {
      const before = this.#text.get(output) ?? header;
      this.#text.set(output, before + new TextDecoder().decode(bytes));
      return Promise.resolve();
    };
    this.#log = new Log(open("main"), { format: logging?.format, level: logging?.level, output: "main", open });
    this.#upstream = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        const status = Number(new URL(request.url).searchParams.get("status") ?? 200);
        return new Response(status === 304 ? null : "hello", {
          status,
          headers: { "X-Cache": "HIT a", "Set-Cookie": "a=b" },
        });
      },
    );
  }

  static async start(
    accessLog: AccessLogInput,
    { logging = {}, route, server }: {
      logging?: ConfigInput["logging"];
      route?: AccessLogInput;
      server?: AccessLogInput;
    } = {},
  ): Promise<Logged> {
    const logged = new Logged(logging);
    const { config } = resolveConfig({
      logging: { output: "main", ...logging, ...(server === undefined ? {} : { access_log: server }) },
      sites: [{
        ...{ name: "shop", listen: "127.0.0.1", port: 0 },
        ...(accessLog === undefined ? {} : { access_log: accessLog }),
        respond: [{ path: "/fixed", status: 200, body: "fixed" }],
        proxy: {
          upstreams: [{ name: "u", url: `http://127.0.0.1:${logged.#upstream.addr.port}` }],
          routes: [{ path: "/", upstream: "u" }, {
            ...{ path: "/quiet", upstream: "u" },
            ...(route === undefined ? {} : { access_log: route }),
          }],
        },
      }],
    }, { checkFiles: false });
    // Paths of files are absolute in a config: here they are names.
    const named = JSON.parse(
      JSON.stringify(config),
      (key, value) => key === "output" && typeof value === "string" ? value.replace(/^.*\//, "") : value,
    );
    logged.#server = await startServer(named, { log: logged.#log });
    return logged;
  }

  /** Makes a request, and gives its status. */
  async get(path: string, headers: Record<string, string> = {}): Promise<number> {
    const port = this.#server?.addresses[0].port;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { "User-Agent": "test", ...headers } });
    await response.body?.cancel();
    return response.status;
  }

  /** Lines of exchanges in an output, once all are written. */
  async lines(output = "main"): Promise<string[]> {
    // A client has its response before the exchange has ended.
    await until("no exchange is under way", () => this.#server?.generation.underWay === 0);
    await this.#log.flush();
    return (this.#text.get(output) ?? "").split("\n").filter((line) =>
      line !== "" && !line.includes('"message":"socket driver')
    );
  }

  async objects(output = "main"): Promise<Record<string, unknown>[]> {
    return (await this.lines(output)).map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
    await this.#upstream.shutdown();
  }
}

Deno.test("Fields are chosen by their names", async () => {
  await using logged = await Logged.start({ fields: ["client", "status", "path", "bytes", "user"] });
  await logged.get("/a?b=c");
  assertEquals(await logged.lines(), ['{"client":"127.0.0.1","status":200,"path":"/a?b=c","bytes":5}']);
});

Deno.test("Fields have other names and texts, numbers stay numbers", async () => {
  await using logged = await Logged.start({
    fields: {
      ip: "{client.ip}",
      code: "{status}",
      what: "{method} {path}",
      cache: "{response.x-cache}",
      agent: "{header.user-agent}",
    },
  });
  await logged.get("/a?b=c");
  assertEquals(await logged.objects(), [
    { ip: "127.0.0.1", code: 200, what: "GET /a", cache: "HIT a", agent: "test" },
  ]);
});

Deno.test("Header fields are added, those of requests and of responses, of upstreams and of BWS", async () => {
  await using logged = await Logged.start({
    request_headers: ["X-A", "X-None"],
    response_headers: ["X-Cache", "Content-Type"],
  });
  await logged.get("/a", { "X-A": 'quo"te' });
  await logged.get("/fixed");
  const [first, second] = await logged.objects();
  assertEquals([first.request_headers, first.response_headers], [{ "x-a": 'quo"te' }, {
    ...{ "x-cache": "HIT a", "content-type": "text/plain;charset=UTF-8" },
  }]);
  assertEquals([first.message, first.status], ["request", 200]);
  assertEquals([second.request_headers, second.response_headers], [undefined, {
    "content-type": "text/plain; charset=utf-8",
  }]);
});

Deno.test("A server's access log may have response fields, too, and a route has what it does not set from its site", async () => {
  await using logged = await Logged.start(undefined, {
    server: { fields: { c: "{response.x-cache}", s: "{status}" } },
    route: { skip_status: [404] },
  });
  await logged.get("/quiet?status=404");
  await logged.get("/quiet");
  assertEquals(await logged.lines(), ['{"c":"HIT a","s":200}']);
});

Deno.test("Values of parameters that look like secrets are masked in every format", async () => {
  const query = "/a?access_token=s1&apiKey=s2&user[password]=s3&key=s4&monkey=5&token";
  const shown = "/a?access_token=********&apiKey=********&user[password]=********&key=********&monkey=5&token";
  for (const format of ["json", "combined", "common", '{client.ip} "{uri}" "{header.referer}"']) {
    await using logged = await Logged.start({ format });
    await logged.get(query, { Referer: `http://x${query}` });
    const [line] = await logged.lines();
    assert(line.includes(shown), line);
    assertFalse(/s[1-4]\b/.test(line), line);
  }
});

Deno.test("A text cannot be forged by values", async () => {
  await using logged = await Logged.start({
    format: '{header.x-a} "{header.x-a}" [{header.x-a}] {status} {duration.seconds} {header.none}',
    output: "/own",
  });
  await logged.get("/", { "X-A": 'a b"c]\\ü' });
  const [line] = await logged.lines("own");
  assertMatch(
    line,
    /^a\\x20b\\x22c\]\\x5c\S+ "a b\\x22c\]\\x5c[^" ]+" \[a b\\x22c\\x5d\\x5c[^\] ]+\] 200 \d+\.\d{3} -$/,
  );
});

Deno.test("w3c has a header with its fields, and values without spaces", async () => {
  await using logged = await Logged.start({
    ...{ format: "w3c", output: "/own", fields: ["time", "client", "path", "status", "user_agent"] },
    ...{ request_headers: ["X-A"], response_headers: ["X-Cache"] },
  });
  await logged.get("/a?b=c", { "User-Agent": 'Mozilla 5 "x"', "X-A": "#" });
  await logged.get("/fixed");
  const [software, version, fields, first, second] = await logged.lines("own");
  assertEquals([software, version], ["#Software: bws", "#Version: 1.0"]);
  assertEquals(fields, "#Fields: date time c-ip cs-uri-stem cs-uri-query sc-status cs(User-Agent) cs(X-A) sc(X-Cache)");
  assertMatch(first, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 127\.0\.0\.1 \/a b=c 200 Mozilla\+5\+%22x%22 %23 HIT\+a$/);
  assertMatch(second, / 127\.0\.0\.1 \/fixed - 200 test - -$/);
});

Deno.test("Statuses and paths are skipped, but no failures on a path; a sample keeps what failed", async () => {
  await using logged = await Logged.start({
    skip_status: ["404", "3xx"],
    skip_paths: ["/health", "/static/*"],
    sample: 0,
  });
  for (
    const path of [
      "/",
      "/?status=404",
      "/?status=304",
      "/?status=403",
      "/health",
      "/health?status=500",
      "/static/a?status=403",
    ]
  ) {
    await logged.get(path);
  }
  assertEquals((await logged.objects()).map(({ path, status }) => [path, status]), [
    ["/?status=403", 403],
    ["/health?status=500", 500],
  ]);
});

Deno.test("An access log is off for a site or a route, but for failures", async () => {
  await using logged = await Logged.start(true, { route: false });
  await logged.get("/a");
  await logged.get("/quiet");
  await logged.get("/quiet?status=500");
  assertEquals((await logged.objects()).map(({ path }) => path), ["/a", "/quiet?status=500"]);
});

Deno.test("A site's access log is on where that of the server is off, and has an output of its own whatever the level", async () => {
  await using logged = await Logged.start({ output: "/own" }, {
    logging: { access: false, level: "warn" },
    route: { enabled: false },
  });
  await logged.get("/a");
  await logged.get("/quiet");
  assertEquals((await logged.objects("own")).map(({ path }) => path), ["/a"]);
  assertEquals(await logged.lines(), []);
});

Deno.test("With an output or a format of its own, failures are in the log of the server, too, with their cause", async () => {
  await using logged = await Logged.start({ format: "common", output: "/own" });
  await logged.get("/a?status=500");
  await logged.get("/a");
  assertEquals((await logged.lines("own")).length, 2);
  assertMatch((await logged.lines("own"))[0], /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/a\?status=500 HTTP\/1\.1" 500 5$/);
  const failures = await logged.objects();
  assertEquals(failures.map(({ level, path }) => [level, path]), [["error", "/a?status=500"]]);
});

Deno.test("A slow exchange has the level warn, and is never left out", async () => {
  await using logged = await Logged.start({ slow: "1ms", sample: 0, skip_status: [200], fields: ["level", "status"] }, {
    route: { slow: "1h" },
  });
  await logged.get("/quiet");
  // The first request opens a connection; it takes a millisecond on any machine, or the next does.
  for (let count = 0; count < 1000 && (await logged.lines()).length === 0; count++) await logged.get("/");
  assertEquals((await logged.lines())[0], '{"level":"warn","status":200}');
});
