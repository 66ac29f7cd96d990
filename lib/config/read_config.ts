/**
 * Reads a config from TOML text or from an object.
 *
 * @module
 */

import type { CheckOptions, ComposedConfig } from "./composed_config.ts";
import { checkConfig, type ConfigReport } from "./config_checks.ts";
import { objectTree } from "./object_tree.ts";
import { ProblemList } from "./problem_list.ts";
import { readEnvironment, type ReadVariable, substitute } from "./substitution.ts";
import { readToml } from "./toml_document.ts";

/** Options for TOML text. */
export interface ParseConfigOptions extends CheckOptions {
  /**
   * Name of the file in problems.
   *
   * @default {"config.toml"}
   */
  file?: string;
  /**
   * Looks up the variables of `${NAME}`.
   *
   * @default {Deno.env.get}
   */
  env?: ReadVariable;
}

/** Maximum length of the text, in UTF-16 code units. A config of ten thousand sites has a quarter of it. */
const MAX_TEXT_LENGTH = 8 * 1024 * 1024;

/**
 * Reads and checks the text of a config file. All problems are found at once, each with its line and column. Never throws
 * because of the content of the text.
 *
 * @param text TOML, with or without a byte order mark, with any line ends.
 */
export function readText<T>(
  text: string,
  composed: ComposedConfig<T>,
  options: ParseConfigOptions = {},
): ConfigReport<T> {
  const { file = "config.toml", env = readEnvironment, lenient } = options;
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  const tooLong = source.length > MAX_TEXT_LENGTH;
  const problems = new ProblemList(file, tooLong ? [] : source.split(/\r?\n/), { lenient });
  if (tooLong) {
    const expected = `at most ${MAX_TEXT_LENGTH} characters`;
    problems.error({ path: [] }, { message: `the file has ${source.length} characters`, expected });
    return { problems: problems.errors, warnings: [] };
  }
  const { root, incomplete } = readToml(source, problems);
  if (root === undefined) return { problems: problems.errors, warnings: [] };
  substitute(root, env, problems);
  return checkConfig(root, composed, { problems, incomplete }, options);
}

/** Checks a config that is an object of the same shape as a file. `${NAME}` is not substituted. */
export function readObject<T>(input: object, composed: ComposedConfig<T>, options: CheckOptions = {}): ConfigReport<T> {
  const problems = new ProblemList("", [], { lenient: options.lenient });
  return checkConfig(objectTree(input), composed, { problems, incomplete: false }, options);
}
