/**
 * TOML text in, config or problems out.
 *
 * @module
 */

import { checkConfig, type CheckOptions, type ConfigReport } from "./config_checks.ts";
import { ProblemList } from "./problem_list.ts";
import { readEnvironment, type ReadVariable, substitute } from "./substitution.ts";
import { readToml } from "./toml_document.ts";

/** Options of {@linkcode parseConfig}. */
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

/** The longest text that is read at all, in UTF-16 code units. A config of ten thousand sites is a quarter of it. */
const MAX_TEXT_LENGTH = 8 * 1024 * 1024;

/**
 * Parses and checks a config file's text. All problems are found at once, each with its line and column; never throws
 * for what the text holds.
 *
 * @param text TOML, with or without a byte order mark, with any line ends.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./parse_config.ts";
 *
 * const text = '[[sites]]\nport = 80000\nstatic_dir = "."';
 * const { problems } = parseConfig(text, { file: "bws.toml", baseDir: "/" });
 * console.log(problems[0].line, problems[0].message); // 2 port is 80000
 * ```
 */
export function parseConfig(text: string, options: ParseConfigOptions = {}): ConfigReport {
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
  return checkConfig(root, { problems, incomplete }, options);
}
