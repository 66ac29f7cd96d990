// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../lib/config/config_error.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { respond } from "../../lib/listener/runtime/adapter.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { Generation } from "../../lib/generation/generation.ts";
import { Log } from "../../lib/log/log.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { consoleWarnings } from "../support/console_warnings.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

function proxyTo(url: string) {
  return { sites: [{ proxy: { upstreams: [{ name: "u", url }], routes: [{ path: "/", upstream: "u" }] } }] };
}

Deno.test("createHandler() sends nothing of a client whose address it was not given", async () => {
  const upstream = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => new Response([...request.headers.keys()].join(" ")),
  );
  const handler = createHandler(proxyTo(`http://127.0.0.1:${upstream.addr.port}`));
  const names = (await (await handler(new Request("http://localhost/"))).text()).split(" ");
  assertEquals(names.filter((name) => name === "x-forwarded-for" || name === "x-real-ip"), []);
  assertEquals(names.includes("x-forwarded-proto"), true);
  await handler.close();
  await upstream.shutdown();
});

Deno.test("createHandler() refuses unknown keys of objects and of text", () => {
  const input = JSON.parse('{"sites":[{"static_dir":".","hostnmae":"a.example","auth_basic":{"users":["a"]}}]}');
  const error = assertThrows(() => createHandler(input), ConfigError);
  assertEquals(error.problems.map(({ path }) => path), ["sites[0].hostnmae", "sites[0].auth_basic"]);
  assertStringIncludes(error.message, 'did you mean "hostname"?');
  assertThrows(
    () => createHandler('[[sites]]\nstatic_dir = "."\nbrwose = true'),
    ConfigError,
    "3:1: error: unknown key",
  );
});

Deno.test("createHandler() says its warnings on the console, or in its log", async () => {
  const folder = await Deno.makeTempDir();
  const config = { logging: { output: "log" }, sites: [{ name: "quiet", proxy: {} }] };
  try {
    using said = consoleWarnings();
    await createHandler(config, { baseDir: folder }).close();
    assertStringIncludes(said.text, "warning: the proxy has no routes");
    const before = said.text;
    await createHandler(config, { baseDir: folder, log: true }).close();
    assertEquals(said.text, before);
    const { level, problem } = JSON.parse(await Deno.readTextFile(`${folder}/log`));
    assertEquals([level, problem], ["warn", "the proxy has no routes"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("createHandler() warns of each setting that has no effect in a handler, and of no other", async () => {
  const config: ConfigInput = {
    server: {
      ...{ workers: "auto", reuse_port: true, trusted_proxies: ["127.0.0.1"] },
      limits: { idle_timeout: "5s", max_requests: 9, write_timeout: "60s" },
    },
    logging: { output: "stderr", format: "combined" },
    management: { enabled: true },
    sites: [{ port: 8080, static_dir: "." }, {
      ...{ port: 8081, listen: "127.0.0.1", static_dir: ".", proxy_protocol: true, limits: { max_requests: 9 } },
      ...{ hostname: "a.test", tls: "internal" },
    }],
  };
  using said = consoleWarnings();
  await createHandler(config).close();
  const paths = said.text.split("\n").map((line) => /^(\S+): warning: /.exec(line)?.[1]);
  assertEquals(paths, [
    ...["server.workers", "management", "server.reuse_port", "server.limits", "sites[1].limits"],
    ...["sites[1].proxy_protocol", "sites[1].tls"],
    ...["sites[1].port", "sites[1].listen", "logging"],
  ]);
  assertStringIncludes(said.text, "idle_timeout and max_requests of [server.limits] have no effect");
  assertStringIncludes(said.text, "the ports 8080 and 8081 are not opened");
  assertStringIncludes(said.text, "format and output of [logging] have no effect");
  using silent = consoleWarnings();
  await createHandler({ logging: { output: "stdout" }, sites: [{ port: 8080, static_dir: "." }] }).close();
  assertEquals(silent.text, "");
});

Deno.test("createHandler() takes relative paths from baseDir alone", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/tests`);
  await Deno.writeTextFile(`${folder}/tests/index.html`, "of baseDir");
  const config = { sites: [{ static_dir: "tests" }] };
  const handler = createHandler(config, { baseDir: folder });
  assertEquals(await (await handler(new Request("http://localhost/"))).text(), "of baseDir");
  await handler.close();
  await Deno.remove(`${folder}/tests`, { recursive: true });
  assertThrows(() => createHandler(config, { baseDir: folder }), ConfigError, 'static_dir "tests" is not there');
  await Deno.remove(folder);
});

Deno.test("a failure has its line in the log even where requests have none", async () => {
  const port = freePort();
  for (const logging of [{ access: false }, { level: "warn" as const }]) {
    let text = "";
    const log = new Log((bytes) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve();
    }, logging);
    const { config } = resolveConfig({ logging, ...proxyTo(`http://127.0.0.1:${port}`) });
    const generation = new Generation(config, { log });
    const entry = { responder: generation.responder(generation.allSites), ownPort: false };
    const failed = await respond(new Request("http://localhost/a"), undefined, entry);
    const fine = await respond(new Request("http://localhost/api/health"), undefined, entry);
    await log.flush();
    assertEquals([failed.status, fine.status], [502, 200]);
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ level, status, path }) => [level, status, path]), [["error", 502, "/a"]]);
    generation.close();
  }
});

Deno.test("a readiness check that fails is no error in the log, and its line says what is missing", async () => {
  const input = {
    sites: [{
      proxy: { ...proxyTo("http://127.0.0.1:1").sites[0].proxy, health_check: { initial: "unhealthy" as const } },
    }],
  };
  const cases: [ConfigInput["logging"], number][] = [[{}, 2], [{ level: "warn" }, 0], [{ access: false }, 0]];
  for (const [logging, count] of cases) {
    const { config } = resolveConfig({ logging, ...input });
    let text = "";
    const log = new Log((bytes) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve();
    }, config.logging);
    const generation = new Generation(config, { log });
    const entry = { responder: generation.responder(generation.allSites), ownPort: false };
    for (const path of ["/api/health/ready", "/api/health"]) {
      const response = await respond(new Request(`http://localhost${path}`), undefined, entry);
      assertEquals(response.status, 503);
      await response.body?.cancel();
    }
    await log.flush();
    generation.close();
    const lines = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    assertEquals(
      lines.map(({ level, status, cause }) => [level, status, cause]),
      Array(count).fill(["info", 503, "pool u: no upstream is available"]),
    );
  }
});

Deno.test({
  name: "a file that cannot be opened for want of file handles is 503, not 404 or 500",
  ignore: Deno.build.os === "windows",
  async fn() {
    const program = new URL("../support/handle_shortage_program.ts", import.meta.url).pathname;
    await inTemporaryFolder({ "a.txt": "a" }, async (folder) => {
      const run = [Deno.execPath(), "run", "-A", "--no-check", program, folder];
      const { stdout } = await new Deno.Command("sh", { args: ["-c", 'ulimit -n 256; exec "$@"', "sh", ...run] })
        .output();
      assertEquals(new TextDecoder().decode(stdout), "503 1\n");
    });
  },
});
