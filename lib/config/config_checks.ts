/**
 * All checks of a config, in order, on a tree from either a file or an object.
 *
 * @module
 */

import { resolveFiles } from "./file_paths.ts";
import { giveOriginalMeaning } from "./original_meaning.ts";
import { checkPorts, type TryPort } from "./port_checks.ts";
import type { Problem } from "./problem.ts";
import type { ProblemList } from "./problem_list.ts";
import { checkLoops } from "./loop_checks.ts";
import { checkProxies } from "./proxy_checks.ts";
import { type Config, configSchema } from "./schema.ts";
import { type IssueContext, reportIssues } from "./schema_issues.ts";
import { type FoundOriginalKey, walkSchema } from "./schema_walk.ts";
import { checkServer } from "./server_checks.ts";
import { substitutedValues } from "./shown_config.ts";
import { checkSites } from "./site_checks.ts";
import { formatPath, plainValue, type TableNode } from "./source_tree.ts";
import { checkVariables } from "./variable_checks.ts";

/** What came out of checking a config. */
export interface ConfigReport {
  /** The config, if there are no problems. */
  config?: Config;
  /** Why the config is refused, in the order of the file. */
  problems: Problem[];
  /** What is odd, but no reason to refuse it. */
  warnings: Problem[];
}

/** Options that hold for files and for objects. */
export interface CheckOptions {
  /**
   * Folder from which relative paths start: that of the config file, where there is one. Never any other.
   *
   * @default {"."}
   */
  baseDir?: string;
  /**
   * What `baseDir` is, in words.
   *
   * @default {"the folder of the config"}
   */
  baseName?: string;
  /**
   * Whether to look if files and folders are there. Needs the permission to read.
   *
   * @default {true}
   */
  checkFiles?: boolean;
  /**
   * Whether to try if the log can be written. Where there is no file yet, one is made beside it and removed.
   *
   * @default {false}
   */
  tryLog?: boolean;
  /**
   * Whether to look through static folders for precompressed files that are older than their file.
   *
   * @default {false}
   */
  searchFolders?: boolean;
  /**
   * Tries whether a port can be opened: why not, or undefined where it can. Without it no port is tried.
   *
   * @param listen IP address or host name; undefined for all interfaces.
   */
  tryPort?: TryPort;
  /**
   * Names of policies beside the built-in ones, which the embedder brings.
   *
   * @default {[]}
   */
  policies?: readonly string[];
  /**
   * Whether keys that are not known are warnings, instead of problems. What such a key was meant to do is then not done: a
   * table that should protect a site leaves it open, and a misspelt `hostname` lets the site answer for all hosts.
   *
   * @default {false}
   */
  lenient?: boolean;
  /**
   * Whether the ports of the config are opened, so that an upstream must not be one of them.
   *
   * @default {true}
   */
  opensPorts?: boolean;
}

/** What the checks know of the text besides its tree. */
export interface CheckContext {
  readonly problems: ProblemList;
  /** Whether the tree lacks parts of the file. */
  readonly incomplete: boolean;
}

/** Checks a tree, which it changes, and makes a config of it. */
export function checkConfig(root: TableNode, context: CheckContext, options: CheckOptions): ConfigReport {
  const { problems, incomplete } = context;
  const {
    baseDir = ".",
    baseName = "the folder of the config",
    checkFiles = true,
    tryLog = false,
    searchFolders,
    tryPort,
    policies = [],
    opensPorts = true,
  } = options;
  giveOriginalMeaning(root, problems);
  const { unknownKeys, originalKeys } = walkSchema(configSchema, root, problems);
  resolveFiles(root, { baseDir, baseName, checkFiles, tryLog, searchFolders }, problems);
  const result = configSchema.safeParse(plainValue(root));
  if (!result.success) reportIssues(result.error.issues, { root, problems, unknownKeys, incomplete });
  reportOriginalKeys(originalKeys, { root, problems, unknownKeys: [], incomplete });
  for (const { place, message, expected, suggestion } of unknownKeys) {
    problems.unknownKey(place, { message, expected, suggestion });
  }
  checkServer(root, problems);
  checkSites(root, problems);
  checkProxies(root, problems, policies);
  if (opensPorts) checkLoops(root, problems);
  checkVariables(root, problems);
  if (tryPort !== undefined) checkPorts(root, problems, tryPort);
  const { errors, warnings } = problems;
  if (!result.success || errors.length > 0) return { problems: errors, warnings };
  const substituted = substitutedValues(root);
  return { config: substituted === undefined ? result.data : { ...result.data, substituted }, problems: [], warnings };
}

/** Checks the types of keys that only the original BWS has, and says what they ask for and do not get. */
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
