// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConfigError } from "../../lib/config/config_error.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { startEmbedded } from "../../lib/process/embedded_server.ts";
import { consoleWarnings } from "../support/console_warnings.ts";

const SITE = { listen: "127.0.0.1", port: 0, static_dir: "." };

async function isAlive({ port }: Deno.NetAddr): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/api/health/live`);
  await response.body?.cancel();
  return response.status === 200;
}

Deno.test("startServer() takes an object, TOML text and a resolved config, and so does its reload()", async () => {
  const text = '[[sites]]\nlisten = "127.0.0.1"\nport = 0\nstatic_dir = "."\n';
  const { config } = resolveConfig({ server: { shutdown_timeout: "7s" }, sites: [SITE] });
  for (const input of [{ sites: [SITE] }, text, config, { ...config, sites: [...config.sites] }]) {
    const server = await startEmbedded(input);
    assertEquals(await isAlive(server.addresses[0]), true);
    for (const next of [{ sites: [{ ...SITE, name: "next" }] }, text, config]) await server.reload(next);
    assertEquals(await isAlive(server.addresses[0]), true);
    assertEquals(await server.stop(), 0);
  }
});

Deno.test("startServer() refuses a config as createHandler() does, and a refused reload() changes nothing", async () => {
  const wrong = JSON.parse('{"sites":[{"static_dir":".","hostnmae":"a.example"}]}');
  const error = await assertRejects(() => startEmbedded(wrong), ConfigError, 'did you mean "hostname"?');
  assertEquals(error.problems.map(({ path }) => path), ["sites[0].hostnmae"]);
  await assertRejects(() => startEmbedded("[[sites]]\nbrwose = true"), ConfigError, "2:1: error: unknown key");
  const server = await startEmbedded({ sites: [SITE] });
  await assertRejects(() => server.reload(wrong), ConfigError);
  assertEquals(await isAlive(server.addresses[0]), true);
  await server.stop();
});

Deno.test("startServer() warns of what only the program has, once each, and opens no port for it", async () => {
  const config: ConfigInput = {
    ...{ server: { workers: 4, shutdown_delay: "1s" }, logging: { level: "debug" } },
    ...{ management: { enabled: true, port: 0 }, sites: [SITE] },
  };
  const { config: resolved } = resolveConfig(config);
  for (const input of [config, resolved]) {
    using warnings = consoleWarnings();
    const server = await startEmbedded(input);
    assertEquals(server.addresses.length, 1);
    await server.stop();
    const lines = warnings.text.split("\n");
    assertEquals(lines.map((line) => /^(\S+): warning: /.exec(line)?.[1]), [
      ...["server.workers", "server.shutdown_delay", "management", "logging"],
    ]);
    assertMatch(lines[2], /\[management\] has no effect inside another program.*, expected the program bws/);
  }
});
