/**
 * Reads configs for programs that embed BWS.
 *
 * @module
 */

import { ConfigError } from "../../config/config_error.ts";
import { type ParseConfigOptions, readObject } from "../../config/read_config.ts";
import { COMPOSED_CONFIG } from "./composed_config.ts";
import { parseConfig } from "./parse_config.ts";
import type { Problem } from "../../config/problem.ts";
import type { Config, ConfigInput } from "./config_types.ts";

/** A config that was accepted, and its warnings. */
export interface ResolvedConfig {
  /** The config. */
  config: Config;
  /** Warnings about the config. */
  warnings: Problem[];
}

/** Options of {@linkcode resolveConfig}; `file` and `env` apply to TOML text only. */
export type ResolveConfigOptions = ParseConfigOptions;

/**
 * Checks a config that is an object of the same shape as a file, or TOML text. Problems of an object have a key path in place
 * of line and column. `${NAME}` in an object is not substituted, since a program can read the environment itself.
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
    : readObject(input, COMPOSED_CONFIG, { baseName, ...options });
  if (report.config === undefined) throw new ConfigError(report.problems);
  return { config: report.config, warnings: report.warnings };
}
