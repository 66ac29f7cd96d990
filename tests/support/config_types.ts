/**
 * The text of `lib/generation/config/config_types.ts`: the types of a config as interfaces, each key with its sentence. The types are
 * those that the compiler infers from the schema, the sentences those of the schema itself.
 *
 * @module
 */

import ts from "npm:typescript@5.9.3";
import type { z } from "zod";
import { configSchema } from "../../lib/generation/config/config_schema.ts";
import { elementOf, formatted, sentenceOf, shapeOf } from "./schema_reading.ts";

const ROOT = new URL("../../", import.meta.url);
const PROBE = new URL("lib/generation/config/probed_types.ts", ROOT).pathname;

/** A schema, and where the compiler finds it. */
export interface TypedSchema {
  readonly schema: z.ZodType;
  /** Text of a module with the types `Input` and `Output`, which is nowhere but here. */
  readonly probe: string;
}

const CONFIG: TypedSchema = {
  schema: configSchema,
  probe: `import type { z } from "zod";
import type { configSchema, InferredConfig } from "./config_schema.ts";
export type Input = z.input<typeof configSchema>;
export type Output = InferredConfig;
`,
};

const HEAD = `/**
 * The types of a config, as it is written and as the program uses it.
 *
 * Made of the schema by \`deno task generate\`; not to be changed by hand.
 *
 * @module
 */

`;

/** Names of lists, and what one of them is called. */
const SINGULAR: Readonly<Record<string, string>> = {
  sites: "site",
  certificates: "certificate",
  directories: "directory",
  upstreams: "upstream",
  routes: "route",
  rules: "rule",
};

/** The text of the file. Formatting is that of \`deno fmt\`. */
export async function configTypesText({ schema, probe }: TypedSchema = CONFIG): Promise<string> {
  const checker = await typeChecker(probe);
  const writer = new TypeWriter(checker.checker);
  writer.tables(checker.typeOf("Input"), schema, {
    ...{ name: "ConfigInput", suffix: "Input", path: [] },
    sentence: "A config as it is written: keys with a default may be absent, durations and sizes may be text.",
  });
  writer.tables(checker.typeOf("Output"), schema, {
    ...{ name: "Config", suffix: "Config", path: [] },
    sentence: "A config as the program uses it: checked, with all defaults; durations in milliseconds, sizes in bytes.",
  });
  return await formatted([HEAD + [...writer.imports].join("\n"), ...writer.interfaces].join("\n\n"), "ts");
}

interface Place {
  readonly name: string;
  readonly suffix: string;
  readonly path: readonly string[];
  readonly sentence: string;
}

class TypeWriter {
  readonly interfaces: string[] = [];
  readonly imports = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** Writes the interface of a table, and behind it those of the tables in it, level by level: upper ones have the short names. */
  tables(type: ts.Type, schema: z.core.$ZodType | undefined, place: Place): void {
    const left: (() => void)[] = [() => this.#table(type, schema, place, left)];
    for (const write of left) write();
  }

  #table(type: ts.Type, schema: z.core.$ZodType | undefined, place: Place, below: (() => void)[]): void {
    const shape = shapeOf(schema) ?? {};
    const order = Object.keys(shape);
    const properties = this.#checker.getPropertiesOfType(type)
      .toSorted((one, other) => placeIn(order, one) - placeIn(order, other));
    const lines = properties.map((property) => {
      const key = property.getName();
      const held = shape[key];
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
      const own = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(property));
      const where = { ...place, path: [...place.path, key], sentence: sentenceOf(held) ?? "" };
      const text = this.#text(own, held, where, below);
      const written = ts.displayPartsToString(property.getDocumentationComment(this.#checker));
      const sentences = [sentenceOf(held) ?? written, ...defaultTag(held, place.suffix)];
      return `${comment(sentences)}\n  ${key}${optional ? "?" : ""}: ${text};`;
    });
    this.interfaces.push(`/** ${place.sentence} */\nexport interface ${place.name} {\n${lines.join("\n")}\n}\n`);
  }

  #text(type: ts.Type, schema: z.core.$ZodType | undefined, place: Place, below: (() => void)[]): string {
    const item = this.#checker.isArrayType(type)
      ? this.#checker.getTypeArguments(type as ts.TypeReference)[0]
      : undefined;
    if (item !== undefined && isTable(this.#checker, item)) {
      const one = elementOf(schema);
      return `${this.#named(item, one, place, below)}[]`;
    }
    if (type.isUnion() && type.types.some((one) => isTable(this.#checker, one))) {
      return type.types.map((one) => this.#text(one, schema, place, below)).join(" | ");
    }
    this.#import(item ?? type);
    if (isTable(this.#checker, type)) return this.#named(type, schema, place, below);
    const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType;
    return this.#checker.typeToString(type, undefined, flags).replaceAll("'", '"');
  }

  /** Takes in a type that has a name of its own in the product. */
  #import({ aliasSymbol }: ts.Type): void {
    const path = aliasSymbol?.declarations?.[0].getSourceFile().fileName ?? "";
    if (aliasSymbol === undefined || !path.startsWith(`${ROOT.pathname}lib/`)) return;
    const file = path.slice(`${ROOT.pathname}lib/`.length);
    this.imports.add(`import type { ${aliasSymbol.getName()} } from "../../${file}";`);
  }

  // A table that several keys have is one interface, where it is the same.
  #named(type: ts.Type, schema: z.core.$ZodType | undefined, place: Place, below: (() => void)[]): string {
    const { path, suffix } = place;
    const words = path.map((key) => pascal(SINGULAR[key] ?? key));
    for (let count = 1; count <= words.length; count++) {
      const name = words.slice(-count).join("") + suffix;
      const is = path.join(".");
      const taken = this.#names.get(name);
      if (taken !== undefined && taken !== is) continue;
      if (taken === undefined) {
        // Longer names are not to fit a table that has a shorter one
        const last = path.slice(-count).join(".");
        const ambiguous = [...this.#names].some(([other, at]) => other.endsWith(suffix) && at.endsWith(`.${last}`));
        if (ambiguous && count < words.length) continue;
        this.#names.set(name, is);
        const sentence = `\`${header(path)}\`. ${place.sentence}`.trimEnd();
        below.push(() => this.#table(type, schema, { ...place, name, sentence }, below));
      }
      return name;
    }
    throw new Error(`No name is left for ${path.join(".")}`);
  }
}

/** The place of a key in the schema; a key that is in none stands last. */
function placeIn(order: readonly string[], property: ts.Symbol): number {
  const place = order.indexOf(property.getName());
  return place < 0 ? order.length : place;
}

function isTable(checker: ts.TypeChecker, type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 && !checker.isArrayType(type) &&
    !checker.isTupleType(type) &&
    checker.getIndexInfosOfType(type).length === 0 && checker.getPropertiesOfType(type).length > 0 &&
    type.getCallSignatures().length === 0;
}

/** A table's header as it would be written. */
function header(path: readonly string[]): string {
  const name = path.join(".");
  return (path.at(-1) as string) in SINGULAR ? `[[${name}]]` : `[${name}]`;
}

function pascal(key: string): string {
  return key.split("_").map((word) => word[0].toUpperCase() + word.slice(1)).join("");
}

/** What stands where a key is absent; of a config that is written only, since nothing is absent in the other. */
function defaultTag(schema: z.core.$ZodType | undefined, suffix: string): string[] {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (suffix !== "Input" || (def?.type !== "default" && def?.type !== "prefault")) return [];
  const value = JSON.stringify(def.defaultValue);
  return value === "{}" ? [] : ["", `@default {${value}}`];
}

function comment(lines: readonly string[]): string {
  if (lines.length === 1) return `  /** ${lines[0]} */`;
  return ["  /**", ...lines.map((line) => `   * ${line}`.trimEnd()), "   */"].join("\n");
}

async function typeChecker(probe: string): Promise<{ checker: ts.TypeChecker; typeOf(name: string): ts.Type }> {
  const zod = await packageFile("zod", "index.d.ts");
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, types: [] },
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: { zod: [zod] },
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts"],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (path) => path === PROBE || fileExists(path);
  host.readFile = (path) => path === PROBE ? probe : readFile(path);
  host.getSourceFile = (path, language, ...rest) =>
    path === PROBE ? ts.createSourceFile(path, probe, language) : getSourceFile(path, language, ...rest);
  const program = ts.createProgram([PROBE], options, host);
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(PROBE) as ts.SourceFile;
  const exports = checker.getExportsOfModule(checker.getSymbolAtLocation(file) as ts.Symbol);
  return {
    checker,
    typeOf: (name) => checker.getDeclaredTypeOfSymbol(exports.find((symbol) => symbol.getName() === name) as ts.Symbol),
  };
}

/** A file of a package of the import map, where the runtime keeps it. */
async function packageFile(name: string, file: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", new URL("deno.json", ROOT).pathname],
  }).output();
  const { npmCache }: { npmCache: string } = JSON.parse(new TextDecoder().decode(stdout));
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const version = /@([^@/]+)$/.exec(imports[name])?.[1];
  return `${npmCache}/registry.npmjs.org/${name}/${version}/${file}`;
}
