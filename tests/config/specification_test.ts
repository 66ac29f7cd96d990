// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { formatProblems, sentenceOf } from "../../lib/config/problem.ts";
import { ACCEPTED_EXAMPLES, LOAD_BALANCED_APPLICATION } from "./specification_examples.ts";

for (const [name, text] of Object.entries(ACCEPTED_EXAMPLES)) {
  Deno.test(`parseConfig() accepts the specification's example "${name}"`, () => {
    const baseDir = Deno.makeTempDirSync();
    try {
      Deno.mkdirSync(join(baseDir, "static"));
      // The only change: the folder of the example is not on this machine
      const local = text.replace("/var/www/example.com", baseDir);
      const { config, problems } = parseConfig(local, { baseDir });
      assertEquals(problems.map(sentenceOf), []);
      assertEquals(config?.sites.length, 1);
    } finally {
      Deno.removeSync(baseDir, { recursive: true });
    }
  });
}

Deno.test("parseConfig() reads every key of the specification's first example", () => {
  const proxy = parseConfig(ACCEPTED_EXAMPLES["Basic Proxy Configuration"]).config?.sites[0].proxy;
  assertEquals(proxy?.upstreams.map(({ name, url, weight }) => [name, url, weight]), [
    ["backend-pool", "http://127.0.0.1:3001", 1],
    ["backend-pool", "http://127.0.0.1:3002", 2],
  ]);
  assertEquals(proxy?.timeout, { connect: 5000, read: 30_000, write: 30_000, client: 60_000, min_upload_rate: 500 });
  assertEquals(proxy?.headers.add, { "X-Powered-By": "BWS" });
  assertEquals(proxy?.headers.remove, ["x-internal-header"]);
  assertEquals([proxy?.headers.add_x_forwarded, proxy?.headers.add_forwarded], [true, true]);
  assertEquals(proxy?.load_balancing.method, "round_robin");
});

Deno.test("parseConfig() refuses the specification's load balanced application for its unknown upstream alone", () => {
  const { problems, warnings } = parseConfig(LOAD_BALANCED_APPLICATION);
  assertEquals(warnings, []);
  assertEquals(
    formatProblems(problems),
    [
      'config.toml:22:12: error: unknown upstream "app-servers", expected one of "app-server-1", "app-server-2" (did you mean "app-server-1"?)',
      '    22 | upstream = "app-servers"',
      "       |            ^^^^^^^^^^^^^",
    ].join("\n"),
  );
});
