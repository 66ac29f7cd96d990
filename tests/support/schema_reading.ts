/**
 * What can be read of a schema: its keys, sentences, defaults and values, for the texts that are made of it.
 *
 * @module
 */

import type { z } from "zod";

/** A schema of any kind; undefined where a key has none. */
export type Schema = z.core.$ZodType | undefined;

/** The schema below the wrappers for defaults and conversions. */
export function bare(schema: Schema): z.core.$ZodTypes | undefined {
  const kind = schema as z.core.$ZodTypes | undefined;
  const def = kind?._zod.def;
  if (def?.type === "optional" || def?.type === "default" || def?.type === "prefault") return bare(def.innerType);
  if (def?.type === "pipe") return bare(def.in);
  return kind;
}

/** The keys of a table, which a word may stand for; undefined for what is none. */
export function shapeOf(schema: Schema): Readonly<Record<string, z.core.$ZodType>> | undefined {
  const def = bare(schema)?._zod.def;
  if (def?.type === "union") return def.options.map(shapeOf).find((shape) => shape !== undefined);
  return def?.type === "object" ? def.shape : undefined;
}

/** What a list holds; undefined for what is none. */
export function elementOf(schema: Schema): z.core.$ZodType | undefined {
  const def = bare(schema)?._zod.def;
  return def?.type === "array" ? def.element : undefined;
}

/** The sentence of a key. */
export function sentenceOf(schema: Schema): string | undefined {
  return (schema as z.ZodType | undefined)?.description;
}

/** What stands where a key is absent, as it would be written; undefined where nothing does. */
export function defaultOf(schema: Schema): unknown {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (def?.type === "default" || def?.type === "prefault") return def.defaultValue;
  return (schema as z.ZodType | undefined)?.meta()?.default;
}

/** Whether a key must be there. */
export function isRequired(schema: Schema): boolean {
  const type = (schema as z.core.$ZodTypes | undefined)?._zod.def.type;
  return type !== "optional" && type !== "default" && type !== "prefault";
}

/** Text as `deno fmt` writes it. */
export async function formatted(text: string, extension: "ts" | "md"): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--config", new URL("../../deno.json", import.meta.url).pathname, "--ext", extension, "-"],
    ...{ stdin: "piped", stdout: "piped" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}
