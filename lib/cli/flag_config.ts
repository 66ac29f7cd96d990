/**
 * Configs that are made from flags.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import { sentenceOf } from "../config/problem.ts";
import { resolveConfig } from "../generation/config/resolve_config.ts";
import type { Config, ConfigInput } from "../generation/config/config_types.ts";
import { UsageError } from "./command.ts";

/**
 * Checks a config that was made from flags.
 *
 * @throws {UsageError} The config is refused: a flag is wrong.
 */
export function flagConfig(input: ConfigInput): Config {
  try {
    return resolveConfig(input).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Without the path of the key, which the user did not write.
    throw new UsageError(error.problems.map(sentenceOf).join("; "), { cause: error });
  }
}

/**
 * Parses a port from the text of a flag.
 *
 * @throws {UsageError} The text is not a port.
 */
export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65535) return port;
  throw new UsageError(`${JSON.stringify(text)} is no port, expected a whole number from 0 to 65535`);
}

/** The URL of an upstream from the text of a flag: `3000`, `:3000` and `host:3000` as well as URLs. */
export function upstreamUrl(text: string): string {
  if (/^:?\d+$/.test(text)) return `http://127.0.0.1:${text.replace(":", "")}`;
  return /^[a-z]+:\/|^unix:|^\//i.test(text) ? text : `http://${text}`;
}
