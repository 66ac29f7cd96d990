// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { scriptTest } from "../support/specification_script.ts";

const TESTS = new URL("../", import.meta.url);
const SCRIPT_PORTS = [8080, 8081, 3001, 3002];

scriptTest("test_websocket_proxy.sh", SCRIPT_PORTS);

Deno.test("test_websocket_proxy.toml is accepted without a warning, and upgrades what the specification's example does", async () => {
  const text = await Deno.readTextFile(new URL("test_websocket_proxy.toml", TESTS));
  const { config, problems, warnings } = parseConfig(text, { checkFiles: false, baseDir: "/" });
  assertEquals([...problems, ...warnings], []);
  const routes = config?.sites[0].proxy?.routes.map((
    { path, strip_prefix, websocket },
  ) => [path, strip_prefix, websocket]);
  assertEquals(routes, [["/ws/chat", true, true], ["/ws/notifications", false, true], ["/plain", false, false]]);
});
