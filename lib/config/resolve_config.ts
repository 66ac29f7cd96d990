/**
 * The way into a config for programs that embed BWS.
 *
 * @module
 */

import { checkConfig } from "./config_checks.ts";
import { ConfigError } from "./config_error.ts";
import { objectTree } from "./object_tree.ts";
import { parseConfig, type ParseConfigOptions } from "./parse_config.ts";
import type { Problem } from "./problem.ts";
import { ProblemList } from "./problem_list.ts";
import type { Config, ConfigInput } from "./schema.ts";

/** A config that was accepted, and what is odd in it. */
export interface ResolvedConfig {
  /** The config. */
  config: Config;
  /** What is odd in it. */
  warnings: Problem[];
}

/** Options of {@linkcode resolveConfig}; `file` and `env` are for TOML text alone. */
export type ResolveConfigOptions = ParseConfigOptions;

/**
 * Checks a config that a program holds: an object of the same shape as a file, or TOML text. Problems of an object have
 * a key path in place of line and column. `${NAME}` in an object means itself: programs have their own ways to the environment.
 *
 * @throws {ConfigError} The config is refused; the message lists all problems.
 *
 * @example
 * ```ts
 * import { resolveConfig } from "./resolve_config.ts";
 *
 * const { config } = resolveConfig({
 *   sites: [{
 *     proxy: {
 *       upstreams: [{ name: "app", url: "http://127.0.0.1:3000" }],
 *       routes: [{ path: "/", upstream: "app" }],
 *     },
 *   }],
 * });
 * console.log(config.sites[0].proxy?.timeout.read); // 30000
 * ```
 */
export function resolveConfig(input: ConfigInput | string, options: ResolveConfigOptions = {}): ResolvedConfig {
  const baseName = options.baseDir === undefined ? "the working folder" : "baseDir";
  const report = typeof input === "string"
    ? parseConfig(input, { baseName, ...options })
    : checkObject(input, { baseName, ...options });
  if (report.config === undefined) throw new ConfigError(report.problems);
  return { config: report.config, warnings: report.warnings };
}

function checkObject(input: ConfigInput, options: ResolveConfigOptions) {
  const problems = new ProblemList("", [], { lenient: options.lenient });
  return checkConfig(objectTree(input), { problems, incomplete: false }, options);
}
