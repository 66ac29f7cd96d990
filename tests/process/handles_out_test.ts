// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { LISTENER_KINDS, type ListenerKind } from "../../lib/listener/listener_kind.ts";
import { BwsProcess } from "../cli/bws_process.ts";
import { BUSY_TIMES, until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { freePort } from "../support/port.ts";
import { get, RawClient } from "../support/raw_client.ts";

/** So few that a burst uses them up. */
const OPEN_FILES = 200;

/** How a process differs from others. */
interface ShortOptions {
  readonly sockets?: string;
  readonly openFiles?: number;
  readonly headerTimeout?: string;
}

/** BWS with few file handles and two sites, one of them behind an upstream. */
class ShortProcess {
  readonly ports = { app: freePort(), other: freePort(), management: freePort() };
  readonly bws: BwsProcess;
  readonly #upstream: Deno.HttpServer<Deno.NetAddr>;
  readonly #file: string;

  constructor(listener: ListenerKind, workers: number, options: ShortOptions = {}) {
    const { sockets = "auto", openFiles = OPEN_FILES, headerTimeout = "10s" } = options;
    this.#upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("up"));
    this.#file = Deno.makeTempFileSync({ suffix: ".toml" });
    const { app, other, management } = this.ports;
    Deno.writeTextFileSync(
      this.#file,
      `[server]
listener = "${listener}"
workers = ${workers}
sockets = "${sockets}"
${listener === "own" ? `limits = { header_timeout = "${headerTimeout}" }` : ""}
[management]
enabled = true
port = ${management}
[logging]
access = false
output = "stderr"
[[sites]]
name = "app"
listen = "127.0.0.1"
port = ${app}
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:${this.#upstream.addr.port}"
[[sites.proxy.routes]]
path = "/"
upstream = "app"
[[sites]]
name = "other"
listen = "127.0.0.1"
port = ${other}
static_dir = ${JSON.stringify(new URL("../www", import.meta.url).pathname)}
`,
    );
    this.bws = new BwsProcess(["run", this.#file], { openFiles });
  }

  /** Status and text, over a connection of its own; "refused" when there is none. */
  async ask(port: number, path = "/"): Promise<string> {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    try {
      const signal = AbortSignal.timeout(5000 * BUSY_TIMES);
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { client, signal });
      return `${response.status} ${await response.text()}`;
    } catch {
      return "refused";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bws[Symbol.asyncDispose]();
    await this.#upstream.shutdown();
    await Deno.remove(this.#file);
  }
}

/** Opens connections that say nothing, until the port refuses one or there are `count`. */
async function burst(port: number, count: number): Promise<Deno.Conn[]> {
  const open: Deno.Conn[] = [];
  for (let i = 0; i < count; i++) {
    try {
      open.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      // The port is closed just now.
    }
  }
  return open;
}

/** A connection that asks once: the status, or what else came. One that a busy machine held up before its request asks again. */
async function askOnce(port: number, path: string, fields = ""): Promise<string> {
  for (;;) {
    const startMs = performance.now();
    using client = await RawClient.connect(port);
    await client.send(get(path, fields));
    const silentMs = performance.now() - startMs;
    const result = await client.answer().then(
      (response) => `${statusOf(response)}`,
      ({ message }) => message as string,
    );
    if (result === "200" || silentMs < SILENT_MS / 2) return result;
  }
}

/** How long a connection may be without a request. */
const SILENT_MS = 1000;

for (const sockets of ["epoll", "uring"]) {
  for (const fields of ["Connection: close\r\n", ""]) {
    Deno.test({
      name: `300 clients that connect at once are all served with 120 file handles, sockets ${sockets}, ${
        fields === "" ? "kept alive" : "closed"
      }`,
      ignore: Deno.build.os !== "linux",
      fn: async () => {
        await using short = new ShortProcess("own", 1, { sockets, openFiles: 120 });
        await short.bws.until(/dashboard, API and metrics/);
        const { app, other } = short.ports;
        for (const [port, path] of [[app, "/"], [other, "/index.html"]] as const) {
          const asked = Array.from({ length: 300 }, () => askOnce(port, path, fields));
          const counts = Object.entries(Object.groupBy(await Promise.all(asked), (result) => result));
          assertEquals(counts.map(([result, all]) => [result, all?.length]), [["200", 300]]);
        }
      },
    });
  }
}

// The runtime's driver does not tell which handle it has accepted with, so that with it none are left for files.
for (const sockets of ["epoll", "uring"]) {
  for (const [what, bytes] of [["nothing", ""], ["half a head", "GET / HTTP/1.1\r\nX-A: "]]) {
    Deno.test({
      name:
        `clients that send ${what} and hold all file handles are closed for those that wait behind, sockets ${sockets}`,
      ignore: Deno.build.os !== "linux",
      fn: async () => {
        await using short = new ShortProcess("own", 1, { sockets, openFiles: 120, headerTimeout: "10m" });
        await short.bws.until(/dashboard, API and metrics/);
        const { app, other } = short.ports;
        const held = await burst(app, 300);
        try {
          await Promise.all(held.map((conn) => conn.write(new TextEncoder().encode(bytes)).catch(() => {})));
          assertEquals(await Promise.all([askOnce(app, "/"), askOnce(other, "/index.html")]), ["200", "200"]);
        } finally {
          for (const conn of held) conn.close();
        }
      },
    });
  }
}

/** What the log says of a port that accepts nothing, and of its recovery. */
const LINES: Readonly<Record<ListenerKind, readonly [RegExp, RegExp]>> = {
  own: [/"port cannot accept connections"/g, /"port accepts connections again"/],
  runtime: [/"port closed, it will be opened again"/g, /"port is open again"/],
};

for (const [kind, workers] of LISTENER_KINDS.flatMap((kind) => [[kind, 1], [kind, 2]] as const)) {
  const [failed, recovered] = LINES[kind];
  Deno.test({
    name: `A burst beyond the file handles closes no port for good, with ${workers} workers, listener ${kind}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      await using short = new ShortProcess(kind, workers);
      const { app, other, management } = short.ports;
      await short.bws.until(/dashboard, API and metrics/);
      assertStringIncludes(short.bws.text.stderr, `at most ${OPEN_FILES} files`);
      assertEquals(await short.ask(app), "200 up");
      const held = await burst(app, 2 * OPEN_FILES);
      try {
        await short.bws.until(new RegExp(`${failed.source}.*"port":${app}\\b`));
        // Those of the burst are there still: it is the server that gave up their connections.
        await short.bws.until(new RegExp(`${recovered.source}.*"port":${app}\\b`));
        assertEquals(await short.ask(app), "200 up");
        // Its own port may have failed too, as handles are short in the whole process.
        await until(
          "the other port serves",
          async () => (await short.ask(other, "/api/health/ready")).startsWith("200 "),
        );
        assertEquals(short.bws.text.stderr.match(new RegExp(`${failed.source}.*"port":${app}\\b`, "g"))?.length, 1);
        let metrics = "";
        // The management port may have been closed for a moment as well.
        await until("metrics", async () => (metrics = await short.ask(management, "/metrics")).startsWith("200 "));
        const [reopened, failures] = [
          /bws_listener_reopened_total\{[^}]*\} [1-9]/,
          /bws_listener_accept_failures_total\{[^}]*\} [1-9]/,
        ].map((pattern) => pattern.test(metrics));
        assertEquals([reopened, failures], kind === "own" ? [false, true] : [true, false]);
      } finally {
        for (const conn of held) conn.close();
      }
    },
  });
}
