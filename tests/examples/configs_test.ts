// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { jsonSchema } from "../../lib/config/json_schema.ts";
import { configSchema } from "../../lib/generation/config/config_schema.ts";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import { FEATURES } from "../../lib/features/features.ts";
import { startServer } from "../../lib/process/server.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

const configs: string[] = [];
for await (const { name } of Deno.readDir(EXAMPLES)) if (name.endsWith(".toml")) configs.push(name);

for (const name of configs.sort()) {
  Deno.test(`examples/${name} is accepted without a warning, and its sites can be built`, async () => {
    const { config, warnings } = await loadConfig(new URL(name, EXAMPLES).pathname);
    assertEquals(warnings, []);
    const anyPort = config.sites.map((site) => ({ ...site, port: 0, listen: "127.0.0.1" }));
    const server = await startServer({ ...config, sites: anyPort });
    try {
      const response = await fetch(`http://127.0.0.1:${server.addresses[0].port}/api/health/live`);
      assertEquals((await response.json()).status, "alive");
    } finally {
      await server.stop();
    }
  });
}

Deno.test("examples/full.toml has every key of every table", async () => {
  const written = new Set<string>();
  let table = "";
  for (const line of (await Deno.readTextFile(new URL("full.toml", EXAMPLES))).split("\n")) {
    const [, header] = /^(?:# )?\[+([^\]]+)\]/.exec(line) ?? [];
    if (header !== undefined) written.add(table = header);
    const [, key] = /^(?:# )?([a-z_]+) = /.exec(line) ?? [];
    if (key !== undefined) written.add(`${table}.${key}`);
  }
  const keys = [...keysOf(jsonSchema(configSchema), "")];
  assert(keys.length > 150, `the schema has ${keys.length} keys`);
  // A table that a route may have as its site has it stands there by its name.
  const ofSite = keys.filter((key) => {
    const [, feature] = /^sites\.proxy\.routes\.([a-z_]+)\./.exec(key) ?? [];
    return feature !== undefined && FEATURES.some(({ key }) => key === feature) && written.has(`sites.${feature}`);
  });
  assertEquals(keys.filter((key) => !written.has(key) && !ofSite.includes(key)), []);
});

/** Paths of all keys below a part of the schema, without those that users choose. */
function* keysOf(part: unknown, path: string): Generator<string> {
  if (typeof part !== "object" || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    if (name !== "properties" || typeof value !== "object" || value === null) {
      yield* keysOf(value, path);
      continue;
    }
    for (const [key, below] of Object.entries(value)) {
      const own = path === "" ? key : `${path}.${key}`;
      yield own;
      yield* keysOf(below, own);
    }
  }
}
