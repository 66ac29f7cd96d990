// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseConfig } from "../../lib/config/parse_config.ts";

const TESTS = new URL("../", import.meta.url);
const SCRIPT_PORTS = [8080, 8081, 3001, 3002];

function portIsFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

function skipped(reason: string): void {
  // deno-lint-ignore no-console -- whoever reads the report must know
  console.warn(`test_websocket_proxy.sh is not run: ${reason}`);
}

const hasTools = Deno.build.os !== "windows" && ["bash", "curl"].every((tool) => {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
});

Deno.test({
  name: "test_websocket_proxy.sh passes",
  ignore: !hasTools,
  async fn() {
    const taken = SCRIPT_PORTS.filter((port) => !portIsFree(port));
    if (taken.length > 0) return skipped(`in use are the ports ${taken.join(", ")}`);
    const script = new URL("test_websocket_proxy.sh", TESTS).pathname;
    const { code, stdout } = await new Deno.Command("bash", { args: [script] }).output();
    const report = new TextDecoder().decode(stdout);
    // Somebody was faster.
    if (/^Port \d+ is in use/.test(report)) return skipped(report.trim());
    assertEquals(code, 0, report);
    assertStringIncludes(report, " passed, 0 failed");
  },
});

Deno.test("test_websocket_proxy.toml is accepted without a warning, and upgrades what the specification's example does", async () => {
  const text = await Deno.readTextFile(new URL("test_websocket_proxy.toml", TESTS));
  const { config, problems, warnings } = parseConfig(text, { checkFiles: false, baseDir: "/", strict: true });
  assertEquals([...problems, ...warnings], []);
  const routes = config?.sites[0].proxy?.routes.map((
    { path, strip_prefix, websocket },
  ) => [path, strip_prefix, websocket]);
  assertEquals(routes, [["/ws/chat", true, true], ["/ws/notifications", false, true], ["/plain", false, false]]);
});
