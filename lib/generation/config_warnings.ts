/**
 * Warnings of a config inside another program.
 *
 * @module
 */

import { formatProblems, type Problem, problemFields } from "../config/problem.ts";
import type { Log } from "../log/log.ts";

/** Writes warnings to the log, without one to the console. */
export function warnOfConfig(warnings: readonly Problem[], log: Log | undefined): void {
  for (const warning of warnings) log?.log("warn", "config warning", problemFields(warning));
  // deno-lint-ignore no-console -- an application without our log still has a console
  if (log === undefined && warnings.length > 0) console.warn(formatProblems(warnings));
}
