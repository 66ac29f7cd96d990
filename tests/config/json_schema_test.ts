// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { jsonSchema } from "../../lib/config/json_schema.ts";
import { configSchema } from "../../lib/generation/config/config_schema.ts";
import { ACCEPTED_EXAMPLES, LOAD_BALANCED_APPLICATION } from "./specification_examples.ts";

type Data = Record<string, unknown>;

function isData(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Why `value` does not fit `schema`, with the keywords that the config's schema uses; unknown keywords fail the test. */
function misfit(schema: unknown, value: unknown, path = "$"): string | undefined {
  if (!isData(schema)) throw new TypeError(`No schema at ${path}`);
  for (const [keyword, wanted] of Object.entries(schema)) {
    const fault = keywordMisfit(keyword, wanted, schema, value, path);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function keywordMisfit(
  keyword: string,
  wanted: unknown,
  schema: Data,
  value: unknown,
  path: string,
): string | undefined {
  const refuse = (wrong: boolean) => wrong ? `${path}: ${keyword} ${JSON.stringify(wanted)}` : undefined;
  switch (keyword) {
    case "$schema":
    case "title":
    case "description":
    case "default":
      return undefined;
    case "type":
      return refuse(!(Array.isArray(wanted) ? wanted : [wanted]).some((type) => hasType(type, value)));
    case "pattern":
      return refuse(typeof value === "string" && !new RegExp(String(wanted), "u").test(value));
    case "minLength":
      return refuse(typeof value === "string" && value.length < Number(wanted));
    case "minItems":
      return refuse(Array.isArray(value) && value.length < Number(wanted));
    case "minimum":
      return refuse(typeof value === "number" && value < Number(wanted));
    case "maximum":
      return refuse(typeof value === "number" && value > Number(wanted));
    case "const":
      return refuse(value !== wanted);
    case "enum":
      return refuse(!Array.isArray(wanted) || !wanted.includes(value));
    case "anyOf":
      return refuse(!Array.isArray(wanted) || wanted.every((option) => misfit(option, value, path) !== undefined));
    case "required":
      return refuse(isData(value) && Array.isArray(wanted) && !wanted.every((key) => Object.hasOwn(value, key)));
    case "items":
      return Array.isArray(value)
        ? first(value.map((item, index) => misfit(wanted, item, `${path}[${index}]`)))
        : undefined;
    case "propertyNames":
      return isData(value) ? first(Object.keys(value).map((key) => misfit(wanted, key, `${path}.${key}`))) : undefined;
    case "properties":
    case "additionalProperties":
      return isData(value) ? propertiesMisfit(keyword, schema, value, path) : undefined;
    default:
      throw new TypeError(`The schema uses ${keyword}, which this test does not know`);
  }
}

function propertiesMisfit(keyword: string, schema: Data, value: Data, path: string): string | undefined {
  const known = isData(schema.properties) ? schema.properties : {};
  return first(
    Object.entries(value).map(([key, item]) => {
      if (keyword === "properties") {
        return Object.hasOwn(known, key) ? misfit(known[key], item, `${path}.${key}`) : undefined;
      }
      if (Object.hasOwn(known, key)) return undefined;
      if (schema.additionalProperties === false) return `${path}: unknown key ${key}`;
      return misfit(schema.additionalProperties, item, `${path}.${key}`);
    }),
  );
}

function first(faults: (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined);
}

function hasType(type: unknown, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isData(value);
  if (type === "integer") return Number.isInteger(value);
  const actual: string = typeof value;
  return actual === type;
}

Deno.test("jsonSchema() accepts every example of the specification", () => {
  const schema = jsonSchema(configSchema);
  for (const [name, text] of Object.entries({ ...ACCEPTED_EXAMPLES, LOAD_BALANCED_APPLICATION })) {
    assertEquals(misfit(schema, getStaticTOMLValue(parseTOML(text))), undefined, name);
  }
});

Deno.test("jsonSchema() refuses wrong types, values out of range and unknown keys", () => {
  const schema = jsonSchema(configSchema);
  for (
    const wrong of [
      "[server]",
      "[[sites]]\nport = 70000",
      '[[sites]]\nport = "80"',
      "[[sites]]\nprot = 80",
      '[[sites]]\nmax_body_size = "10XB"',
      '[[sites]]\n[sites.headers]\n"A B" = "x"',
      '[[sites]]\n[[sites.proxy.routes]]\npath = "api"\nupstream = "a"',
      '[[sites]]\n[sites.proxy.load_balancing]\nmethod = "best"',
      '[[sites]]\n[[sites.proxy.upstreams]]\nname = "a"\nurl = "ftp://x"',
      '[[sites]]\n[logging]\nlevel = "loud"',
    ]
  ) {
    assert(misfit(schema, getStaticTOMLValue(parseTOML(wrong))) !== undefined, wrong);
  }
});

Deno.test("jsonSchema() lets substitutions stand for any value", () => {
  const text =
    '[[sites]]\nport = "${PORT}"\nbrowse = "${B:-true}"\n[logging]\nlevel = "${LEVEL}"\n[server]\nworkers = "${N}"\nshutdown_timeout = "${T}"';
  assertEquals(misfit(jsonSchema(configSchema), getStaticTOMLValue(parseTOML(text))), undefined);
});

Deno.test("jsonSchema() is draft 2020-12 with a title, and describes every key", () => {
  const schema = jsonSchema(configSchema);
  assertEquals(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assertEquals(schema.title, "BWS config");
  assertEquals(undescribed(schema), []);
});

Deno.test("jsonSchema() shows defaults as they would be written", () => {
  const text = JSON.stringify(jsonSchema(configSchema));
  for (const part of ['"default":"30s"', '"default":8080', '"default":"round_robin"', '"default":["index.html"]']) {
    assert(text.includes(part), part);
  }
});

/** Paths of properties without a description. */
function undescribed(schema: unknown, path = "$"): string[] {
  if (!isData(schema)) return [];
  const own = Object.entries(isData(schema.properties) ? schema.properties : {}).flatMap(([key, part]) => [
    ...(isData(part) && typeof part.description === "string" ? [] : [`${path}.${key}`]),
    ...undescribed(part, `${path}.${key}`),
  ]);
  return [...own, ...undescribed(schema.items, `${path}[]`)];
}
