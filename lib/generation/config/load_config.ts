/**
 * Reads a config file from disk.
 *
 * @module
 */

// @ts-types="../../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../../types/std/path.d.ts"
import { resolve } from "@std/path/resolve";
import { ConfigError } from "../../config/config_error.ts";
import { parseConfigAside } from "./parse_aside.ts";
import type { ParseConfigOptions } from "../../config/read_config.ts";
import { type ConfigReport, parseConfig } from "./parse_config.ts";
import type { Problem } from "../../config/problem.ts";
import type { Config } from "./config_types.ts";

/** A config that was accepted. */
export interface LoadedConfig {
  /** The config. */
  config: Config;
  /** Warnings about the config. */
  warnings: Problem[];
  /** Absolute path of the file. */
  file: string;
}

/** Options of {@linkcode loadConfig}. Relative paths refer to the file's folder, unless `baseDir` is given. */
export interface LoadConfigOptions extends ParseConfigOptions {
  /**
   * Whether a long file is parsed in a thread of its own, so that requests of this thread are not delayed. `env` is not used
   * then.
   *
   * @default {false}
   */
  aside?: boolean;
}

/**
 * Reads and checks a config file.
 *
 * @param path Path of the file, also used in problems.
 * @throws {ConfigError} The file cannot be read, or is refused; the message lists all problems.
 */
export async function loadConfig(path: string, options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { file = path, aside = false, ...rest } = options;
  const text = decode(await read(path, file), file);
  const absolute = resolve(path);
  const { config, problems, warnings } = await parse(text, aside, { baseDir: dirname(absolute), ...rest, file });
  // With warnings, which may be the cause of an error: a misspelt table, to which a route refers.
  if (config === undefined) throw new ConfigError([...problems, ...warnings].toSorted((a, b) => a.line - b.line));
  return { config: { ...config, file: absolute }, warnings, file: absolute };
}

function parse(text: string, aside: boolean, options: ParseConfigOptions): ConfigReport | Promise<ConfigReport> {
  if (!aside) return parseConfig(text, options);
  const { env: _env, ...cloned } = options;
  return parseConfigAside(text, cloned);
}

async function read(path: string, file: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Error) throw new ConfigError([fileProblem(file, readFailure(error))], { cause: error });
    throw error;
  }
}

function readFailure(error: Error): Pick<Problem, "message" | "expected"> {
  if (error instanceof Deno.errors.NotFound) {
    return { message: "the config file is not there", expected: "the path of a TOML file; `bws init` writes one" };
  }
  if (error instanceof Deno.errors.NotCapable) {
    return { message: "the config file may not be read", expected: "the permission --allow-read" };
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return { message: "the config file may not be read", expected: "a file that this user may read; see its mode" };
  }
  if (error instanceof Deno.errors.IsADirectory) {
    return { message: "the config file is a folder", expected: "the path of a TOML file; `bws files` serves a folder" };
  }
  return { message: `the config file cannot be read: ${error.message}`, expected: "the path of a TOML file" };
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const details = { message: "the config file is not UTF-8", expected: "TOML, which is always UTF-8" };
    throw new ConfigError([fileProblem(file, details)], { cause });
  }
}

function fileProblem(file: string, details: Pick<Problem, "message" | "expected">): Problem {
  return { severity: "error", file, line: 0, column: 0, length: 0, sourceLine: "", path: "", ...details };
}
