/**
 * Cache-Control of files, from `[sites.cache]`. Responses of upstreams keep theirs.
 *
 * @module
 */

import type { z } from "zod";
import { duration, type Fault, fieldValue, judged, list, slashPath, table, tables } from "../config/fields.ts";
import type { Filter } from "../exchange/filter.ts";
import type { Feature } from "./feature.ts";

const EXTENSION = 'a file extension such as "css"';
const TEN_YEARS_MS = 3_653 * 86_400_000;

const ruleSchema = table({
  path: slashPath().optional().describe("Prefix of the paths that the rule is for."),
  extensions: list(judged(extensionFault, EXTENSION, "^\\.?[^./\\s*]+(\\.[^./\\s*]+)*$")).optional()
    .describe("Extensions of the files that the rule is for, with or without a dot."),
  control: fieldValue().min(1, { error: "a Cache-Control value" }).describe("Value of Cache-Control."),
});

const schema = table({
  control: fieldValue().min(1, { error: "a Cache-Control value" }).optional()
    .describe("Value of Cache-Control for every file."),
  max_age: duration({ zero: true, maxMs: TEN_YEARS_MS }).optional()
    .describe('How long caches may keep a file: "public, max-age=N".'),
  rules: tables(ruleSchema).prefault([])
    .describe("Values for some files; the first rule that fits wins, with path and extensions where it has both."),
}).prefault({}).describe("Cache-Control of files.");

type CacheConfig = z.output<typeof schema>;

/** `[sites.cache]`. */
export const cacheControl = {
  key: "cache",
  scopes: ["site"],
  order: 700,
  schema,
  check({ control, max_age, rules }, report) {
    if (control !== undefined && max_age !== undefined) {
      report.error(["max_age"], { message: "cache has both control and max_age", expected: "one of them" });
    }
    rules.forEach(({ path, extensions }, index) => {
      if (path !== undefined || extensions !== undefined) return;
      report.error(["rules", index], {
        message: "the rule does not say what it is for",
        expected: "path, extensions or both",
      });
    });
  },
  compile: (options) => {
    const general = options.control ??
      (options.max_age === undefined ? undefined : `public, max-age=${Math.floor(options.max_age / 1000)}`);
    return general === undefined && options.rules.length === 0 ? undefined : new CacheControl(general, options.rules);
  },
} as const satisfies Feature<CacheConfig>;

/** Gives each file its Cache-Control. Requests have no cost: the line is kept with the file. */
class CacheControl implements Filter {
  readonly #general: string | undefined;
  readonly #rules: readonly Rule[];

  /** @param general The value where no rule fits; undefined for none. */
  constructor(general: string | undefined, rules: CacheConfig["rules"]) {
    this.#general = general;
    this.#rules = rules.map((rule) => ({
      prefix: rule.path && decoded(rule.path),
      endings: rule.extensions?.map((ending) => (ending.startsWith(".") ? ending : `.${ending}`).toLowerCase()),
      control: rule.control,
    }));
  }

  /** The line of a file. */
  fileLines(path: string): readonly string[] {
    const lowerPath = path.toLowerCase();
    const rule = this.#rules.find(({ prefix, endings }) =>
      (prefix === undefined || path.startsWith(prefix)) &&
      (endings === undefined || endings.some((ending) => lowerPath.endsWith(ending)))
    );
    const value = rule?.control ?? this.#general;
    return value === undefined ? [] : ["cache-control", value];
  }
}

interface Rule {
  readonly prefix: string | undefined;
  /** Extensions with their dot, in lower case. */
  readonly endings: readonly string[] | undefined;
  readonly control: string;
}

/** A path from the config, decoded like the names of files; one with invalid escapes is taken literally. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function extensionFault(value: string): Fault | undefined {
  if (/^\.?[^./\s*]+(?:\.[^./\s*]+)*$/.test(value)) return undefined;
  return { expected: EXTENSION, suggestion: /^\*?\.(\w+)$/.exec(value)?.[1] };
}
