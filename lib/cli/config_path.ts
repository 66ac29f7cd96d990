/**
 * Which config files a command line names.
 *
 * @module
 */

import { type CommandInput, flagValue } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** The file that is meant where none is named. */
export const DEFAULT_CONFIG = "config.toml";

/**
 * The paths of the config files, at least one.
 *
 * @throws {UsageError} A file is named both by a flag and without one.
 */
export function configPaths(input: CommandInput): readonly string[] {
  const flag = flagValue(input, "config");
  if (flag === undefined) return input.positionals.length > 0 ? input.positionals : [DEFAULT_CONFIG];
  if (input.positionals.length > 0) {
    throw new UsageError(`Two config files: --config ${flag} and ${input.positionals[0]}, expected one`);
  }
  return [flag];
}
