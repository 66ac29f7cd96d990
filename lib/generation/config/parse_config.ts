/**
 * Parses a config from TOML text.
 *
 * @module
 */

import type { ConfigReport as ReportOf } from "../../config/config_checks.ts";
import { type ParseConfigOptions, readText } from "../../config/read_config.ts";
import type { Config } from "./config_types.ts";
import { COMPOSED_CONFIG } from "./composed_config.ts";

/** The result of checking a config. */
export type ConfigReport = ReportOf<Config>;

/**
 * Parses and checks the text of a config file. All problems are found at once, each with its line and column. Never throws
 * because of the content of the text.
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
  return readText(text, COMPOSED_CONFIG, options);
}
