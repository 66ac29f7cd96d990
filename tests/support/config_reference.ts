/**
 * The text of `docs/config.md`: every table and key of a config, made of the schema.
 *
 * @module
 */

import type { z } from "zod";
import { configSchema } from "../../lib/generation/config/config_schema.ts";
import {
  bare,
  defaultOf,
  elementOf,
  formatted,
  isRequired,
  type Schema,
  sentenceOf,
  shapeOf,
} from "./schema_reading.ts";

const HEAD = `# Keys of the config

Made of the schema by \`deno task generate\`; not to be changed by hand. [examples/full.toml](../examples/full.toml) has
every key in one file, and \`bws schema\` prints a JSON Schema for editors.

A duration is a number of seconds, or text with units: \`"250ms"\`, \`"30s"\`, \`"1m30s"\`, \`"1h"\`, \`"7d"\`. A size is a number of
bytes, or text with a unit: \`"10MB"\` (decimal), \`"512KiB"\` (binary). \`"\${NAME}"\` in any value stands for the environment
variable, and \`"\${NAME:-text}"\` has text for where it is not set.

A table stands where its header says, and nowhere else. Of the tables of a route, \`timeout\`, \`retries\` and \`headers\` are inherited
key by key: what \`[sites.proxy.routes.timeout]\` does not set is that of \`[sites.proxy.timeout]\`. Tables of header fields are inherited
field by field, and a field that the route removes is none that the proxy sets or adds; lists are replaced as a whole. All other tables of
a route replace that of the site. \`try_files\` of a route is another thing than that of its site, and has nothing from it.
`;

/** Parts of what is expected that the head of the page says once. */
const SAID_ABOVE = [/: seconds, or text such as .*$/, /: bytes, or text such as .*$/];

/** The text of the page, in the form of `deno fmt`. */
export async function configReferenceText(schema: z.ZodType = configSchema): Promise<string> {
  const sections: string[] = [];
  for (const [key, part] of Object.entries(shapeOf(schema) ?? {})) section(part, [key], sections);
  return await formatted([HEAD, ...sections].join("\n"), "md");
}

/** Writes the section of a table, and those of the tables in it behind it. */
function section(schema: Schema, path: readonly string[], sections: string[]): void {
  const keys = Object.entries(tableKeys(schema) ?? {});
  const rows = keys.map(([key, part]) => row(key, part, path));
  sections.push([
    `## \`${headerOf(schema, path)}\`\n`,
    `${plain(sentenceOf(schema) ?? "")}\n`,
    "| key | value | default | |\n| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n"));
  for (const [key, part] of keys) if (tableKeys(part) !== undefined) section(part, [...path, key], sections);
}

function row(key: string, schema: Schema, path: readonly string[]): string {
  const header = tableKeys(schema) && headerOf(schema, [...path, key]);
  const value = header === undefined ? valueOf(schema) : `[\`${header}\`](#${anchor(header)})`;
  const cells = [`\`${key}\``, value, header === undefined ? defaultText(schema) : "", plain(sentenceOf(schema) ?? "")];
  return `| ${cells.join(" | ")} |`;
}

/** The keys of a table, or of each table in a list. */
function tableKeys(schema: Schema): Readonly<Record<string, z.core.$ZodType>> | undefined {
  return shapeOf(schema) ?? shapeOf(elementOf(schema));
}

function headerOf(schema: Schema, path: readonly string[]): string {
  const name = path.join(".");
  return elementOf(schema) === undefined ? `[${name}]` : `[[${name}]]`;
}

/** The anchor of a heading, as GitHub makes it. */
function anchor(header: string): string {
  return header.toLowerCase().replace(/[^a-z0-9_-]/g, "");
}

function defaultText(schema: Schema): string {
  if (isRequired(schema)) return "required";
  const value = defaultOf(schema);
  if (value === undefined || JSON.stringify(value) === "{}") return "";
  return `\`${JSON.stringify(value)}\``;
}

/** What a key may hold: the words with which another value is refused. */
function valueOf(schema: Schema): string {
  const element = elementOf(schema);
  const words = (schema as z.ZodType).meta()?.enum as readonly string[] | undefined ??
    bare(schema)?._zod.bag.enum as undefined;
  if (words !== undefined) return `one of ${words.map((word) => `\`"${word}"\``).join(", ")}`;
  const expected = expectedOf(schema);
  return element === undefined ? expected : `${expected}, each ${expectedOf(element)}`;
}

function expectedOf(schema: Schema): string {
  const error = bare(schema)?._zod.def.error?.({} as never);
  const text = typeof error === "string" ? error : error?.message ?? "";
  return plain(SAID_ABOVE.reduce((left, part) => left.replace(part, ""), text));
}

/** Text in which no sign means anything to Markdown, or ends a cell. */
function plain(text: string): string {
  return text.replace(/[\\*_`|<]/g, "\\$&");
}
