// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { z } from "zod";
import type { Config, ConfigInput } from "../../lib/generation/config/config_types.ts";
import type { configSchema, InferredConfig } from "../../lib/generation/config/config_schema.ts";
import { configTypesText } from "../support/config_types.ts";

const FILE = new URL("../../lib/generation/config/config_types.ts", import.meta.url);

/** `true` where both types are the same, whatever they are called. */
type Same<One, Other> = [One] extends [Other] ? [Other] extends [One] ? true : false : false;

// Checked by the compiler.
const sameInput: Same<ConfigInput, z.input<typeof configSchema>> = true;
const sameOutput: Same<Config, InferredConfig> = true;

Deno.test("config_types.ts is what the schema makes of it: run `deno task generate` after a change of a key", async () => {
  assert(sameInput && sameOutput);
  assertEquals(await Deno.readTextFile(FILE), await configTypesText());
});

Deno.test("config_types.ts has a sentence for every key", async () => {
  const text = await Deno.readTextFile(FILE);
  assertStringIncludes(
    text,
    "  /** Name of the pool; upstreams of the same name share its load. */\n  name: string;\n",
  );
  assertEquals([...text.matchAll(/(.*)\n {2}(\w+)\??: /g)].filter(([, before]) => !before.trim().endsWith("*/")), []);
  assertEquals([...text.matchAll(/\/\*\*(?: | \* )?\s*\*\/\n {2}(\w+)/g)].map(([, key]) => key), []);
});
