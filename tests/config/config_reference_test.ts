// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { jsonSchema } from "../../lib/config/json_schema.ts";
import { configSchema } from "../../lib/generation/config/config_schema.ts";
import { configReferenceText } from "../support/config_reference.ts";

const FILE = new URL("../../docs/config.md", import.meta.url);

Deno.test("docs/config.md is what the schema makes of it: run `deno task generate` after a change of a key", async () => {
  assertEquals(await Deno.readTextFile(FILE), await configReferenceText());
});

Deno.test("docs/config.md has a row with a value and a sentence for every key, and a section for every table", async () => {
  const rows = (await Deno.readTextFile(FILE)).split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
  assertEquals(rows.filter((cells) => cells.length !== 4 || cells[1] === "" || cells[3] === ""), []);
  const keys = [...keysOf(jsonSchema(configSchema))];
  // Those of the file itself have a section each, and no row.
  assertEquals(rows.length, keys.length - 6);
  const text = await Deno.readTextFile(FILE);
  for (const [, header] of text.matchAll(/\[`(\[+[a-z_.]+\]+)`\]/g)) {
    assert(text.includes(`\n## \`${header}\`\n`), header);
  }
});

/** Names of all keys below a part of the schema, without those that users choose. */
function* keysOf(part: unknown): Generator<string> {
  if (typeof part !== "object" || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    if (name === "properties" && typeof value === "object" && value !== null) yield* Object.keys(value);
    yield* keysOf(value);
  }
}
