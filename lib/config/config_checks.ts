/**
 * All checks of a config, in order, on a tree from either a file or an object.
 *
 * @module
 */

import type { CheckOptions, ComposedConfig, ResolvedOptions } from "./composed_config.ts";
import { giveOriginalMeaning } from "./original_meaning.ts";
import type { Problem } from "./problem.ts";
import type { ProblemList } from "./problem_list.ts";
import { type IssueContext, reportIssues } from "./schema_issues.ts";
import { type FoundOriginalKey, walkSchema } from "./schema_walk.ts";
import { formatPath, plainValue, type TableNode } from "./source_tree.ts";

/** The result of checking a config. */
export interface ConfigReport<T> {
  /** The config, if there are no problems. */
  config?: T;
  /** Why the config is refused, in the order of the file. */
  problems: Problem[];
  /** Warnings, which do not refuse the config. */
  warnings: Problem[];
}

/** Properties of the text that the tree does not have. */
export interface CheckContext {
  readonly problems: ProblemList;
  /** Whether the tree lacks parts of the file. */
  readonly incomplete: boolean;
}

const DEFAULTS: ResolvedOptions = {
  baseDir: ".",
  baseName: "the folder of the config",
  checkFiles: true,
  tryLog: false,
  searchFolders: false,
  policies: [],
  lenient: false,
  opensPorts: true,
};

/** Checks a tree and converts it to a config; the tree is changed. */
export function checkConfig<T>(
  root: TableNode,
  { schema, files, checks, complete }: ComposedConfig<T>,
  { problems, incomplete }: CheckContext,
  options: CheckOptions,
): ConfigReport<T> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved = { ...DEFAULTS, ...Object.fromEntries(given) };
  giveOriginalMeaning(root, problems);
  const { unknownKeys, originalKeys } = walkSchema(schema, root, problems);
  for (const check of files) check(root, problems, resolved);
  const result = schema.safeParse(plainValue(root));
  if (!result.success) reportIssues(result.error.issues, { root, problems, unknownKeys, incomplete });
  reportOriginalKeys(originalKeys, { root, problems, unknownKeys: [], incomplete });
  for (const { place, message, expected, suggestion } of unknownKeys) {
    problems.unknownKey(place, { message, expected, suggestion });
  }
  for (const check of checks) check(root, problems, resolved);
  const { errors, warnings } = problems;
  if (!result.success || errors.length > 0) return { problems: errors, warnings };
  return { config: complete(result.data, root), problems: [], warnings };
}

/** Checks the types of keys that only the original BWS has, and warns of those that have no effect here. */
function reportOriginalKeys(keys: readonly FoundOriginalKey[], context: IssueContext): void {
  for (const { known, schema, node, place, table } of keys) {
    const result = schema.safeParse(plainValue(node));
    if (!result.success) {
      const issues = result.error.issues.map((issue) => ({
        ...issue,
        path: [...node.path as PropertyKey[], ...issue.path],
      }));
      reportIssues(issues, context);
      continue;
    }
    const missed = known.missed?.(node, table);
    if (missed === undefined) continue;
    const path = formatPath(node.path.filter((step) => typeof step === "string"));
    const name = node.kind === "table" ? `[${path}]` : path;
    context.problems.warning(place, { ...missed, message: `${name} ${missed.message}` });
  }
}
