/**
 * Walks a config's tree along the schema, before the schema parses it: finds unknown keys, converts substituted text to
 * numbers and booleans where the schema expects these, and reads `[name]` as `[[name]]` where a list is expected, so that its
 * content is still checked.
 *
 * @module
 */

import type { z } from "zod";
import { type OriginalKey, originalKey } from "./original_keys.ts";
import type { ProblemList } from "./problem_list.ts";
import type { Place, ScalarNode, SourceNode, TableNode } from "./source_tree.ts";
import { type Ancestor, type UnknownKey, unknownKeyDetails, unknownKeyMessage } from "./unknown_keys.ts";

/** A key that only the original BWS has. */
export interface FoundOriginalKey {
  readonly known: OriginalKey;
  /** Type of its value. */
  readonly schema: z.ZodType;
  readonly node: SourceNode;
  /** Where the key is written. */
  readonly place: Place;
  /** The key's table. */
  readonly table: TableNode;
}

/** What {@linkcode walkSchema} found. */
export interface FoundKeys {
  readonly unknownKeys: UnknownKey[];
  readonly originalKeys: FoundOriginalKey[];
}

// A text with more unknown keys is not a config; the limit bounds the time.
const MAX_HINTS = 200;

interface Walk extends FoundKeys {
  readonly problems: ProblemList;
}

/** Walks `root` in place. Returns the unknown keys; other mistakes go to `problems`. */
export function walkSchema(schema: z.ZodType, root: TableNode, problems: ProblemList): FoundKeys {
  const walk: Walk = { problems, unknownKeys: [], originalKeys: [] };
  walkNode(walk, schema, root, []);
  return walk;
}

/** Walks a node; returns the node that replaces it. */
function walkNode(walk: Walk, schema: z.core.$ZodType, node: SourceNode, ancestors: readonly Ancestor[]): SourceNode {
  const kinds = alternatives(schema);
  if (node.kind === "scalar") {
    if (node.substituted && !node.poisoned) node.value = coerced(node, kinds);
    return node;
  }
  if (node.kind === "table") return walkTable(walk, kinds, node, ancestors);
  const array = kinds.find((kind) => kind._zod.def.type === "array");
  if (array?._zod.def.type !== "array") return node;
  for (const [index, item] of node.items.entries()) {
    node.items[index] = walkNode(walk, array._zod.def.element, item, ancestors);
  }
  return node;
}

function walkTable(walk: Walk, kinds: z.core.$ZodTypes[], node: TableNode, ancestors: readonly Ancestor[]): SourceNode {
  for (const { _zod: { def } } of kinds) {
    if (def.type === "record") {
      for (const entry of node.entries.values()) entry.node = walkNode(walk, def.valueType, entry.node, ancestors);
      return node;
    }
    if (def.type === "object") {
      walkObject(walk, def.shape, node, ancestors);
      return node;
    }
    if (def.type === "array" && alternatives(def.element).some((kind) => kind._zod.def.type === "object")) {
      const where = node.path.filter((step) => typeof step === "string").join(".");
      // A table without a header of its own has only its name in the header of another table.
      const named = node.span !== undefined && node.span.length === String(node.path.at(-1)).length;
      walk.problems.error(node, {
        message: named ? `there is no [[${where}]] above` : `[${where}] is one table`,
        expected: named
          ? `[[${where}]] first: the tables below it belong to it`
          : `a list of tables, each written [[${where}]]`,
      });
      return { kind: "list", path: node.path, span: node.span, items: [walkNode(walk, def.element, node, ancestors)] };
    }
  }
  return node;
}

function walkObject(walk: Walk, shape: z.core.$ZodShape, node: TableNode, ancestors: readonly Ancestor[]): void {
  const keys = Object.keys(shape);
  const below = [...ancestors, { path: node.path, keys }];
  for (const [key, entry] of node.entries) {
    if (Object.hasOwn(shape, key)) {
      entry.node = walkNode(walk, shape[key], entry.node, below);
      continue;
    }
    const known = originalKey(node.path, key);
    if (known !== undefined) {
      const schema = known.holds();
      entry.node = walkNode(walk, schema, entry.node, below);
      const place = { path: entry.node.path, span: entry.keySpan };
      walk.originalKeys.push({ known, schema, node: entry.node, place, table: node });
    } else if (entry.node.kind !== "scalar" || !entry.node.poisoned) {
      const place = { path: [...node.path, key], span: entry.keySpan };
      const details = walk.unknownKeys.length < MAX_HINTS
        ? unknownKeyDetails(key, node, keys, ancestors)
        : { message: unknownKeyMessage(key, node) };
      walk.unknownKeys.push({ place, table: node, ...details });
    }
  }
}

/** The kinds of input that a schema takes, without the wrappers for defaults and conversions. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodTypes[] {
  // The base type does not show the kinds of schemas; the library itself uses this union.
  const kind = schema as z.core.$ZodTypes;
  const def = kind._zod.def;
  if (def.type === "optional" || def.type === "default" || def.type === "prefault") return alternatives(def.innerType);
  if (def.type === "pipe") return alternatives(def.in);
  if (def.type === "union") return def.options.flatMap((option) => alternatives(option));
  return [kind];
}

/** Substituted text as the number or boolean that the schema expects, if it is one. */
function coerced(node: ScalarNode, kinds: z.core.$ZodTypes[]): unknown {
  const { value } = node;
  if (typeof value !== "string") return value;
  const wants = (type: string) => kinds.some((kind) => kind._zod.def.type === type);
  if (wants("boolean") && (value === "true" || value === "false")) return value === "true";
  if (wants("number") && /^[+-]?\d+(?:\.\d+)?$/.test(value)) return Number(value);
  return value;
}
