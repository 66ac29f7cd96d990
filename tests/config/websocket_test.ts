// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { assertErrors, PROXY } from "./marked_config.ts";

function websocket(keys: string) {
  const { config, problems } = parseConfig(`${PROXY}[sites.proxy.websocket]\n${keys}`);
  assertEquals(problems, []);
  return config?.sites[0].proxy?.websocket;
}

Deno.test("parseConfig() gives WebSockets defaults, with or without their table", () => {
  const defaults = {
    ping_interval: 30_000,
    idle_timeout: 60_000,
    max_buffered: 4 * 1024 * 1024,
    max_message: 64 * 1024 * 1024,
    drain: 5000,
  };
  assertEquals(websocket(""), defaults);
  assertEquals(parseConfig(PROXY).config?.sites[0].proxy?.websocket, defaults);
});

Deno.test("parseConfig() derives idle_timeout from ping_interval, unless it is given", () => {
  assertEquals(websocket('ping_interval = "10s"')?.idle_timeout, 20_000);
  assertEquals(websocket("ping_interval = 0")?.idle_timeout, 300_000);
  assertEquals(websocket("ping_interval = 0\nidle_timeout = 0")?.idle_timeout, 0);
  assertEquals(websocket("idle_timeout = 31")?.idle_timeout, 31_000);
});

Deno.test("parseConfig() refuses WebSocket times that contradict each other, and sizes that are none", () => {
  assertErrors(`${PROXY}[sites.proxy.websocket]\nping_interval = 30\nidle_timeout = «"30s"»`, [
    "idle_timeout is not more than ping_interval, so that quiet sides would be closed before they are asked, " +
    "expected more than ping_interval, or 0 for either",
  ]);
  assertErrors(`${PROXY}[sites.proxy.websocket]\nmax_message = «0»\n`, [
    'max_message is 0, expected a size above 0: bytes, or text such as "10MB", "512KiB", "1GiB"',
  ]);
});
