/**
 * The description of a command: its name, its help, its flags and the module that implements it.
 *
 * @module
 */

import type { Terminal } from "./terminal.ts";

/** A flag of a command. */
export interface Flag {
  /** Long name, without dashes. */
  readonly name: string;
  /** One-letter form. */
  readonly short?: string;
  /** Name of its value in the help; flags without it take no value. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly many?: boolean;
  /** What it does, in one line. */
  readonly help: string;
}

/** The input of a command. */
export interface CommandInput {
  /** Arguments that are no flags. */
  readonly positionals: readonly string[];
  /** Values of flags by long name, in order; flags without a value have the value `""`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** The output. */
  readonly terminal: Terminal;
}

/** Runs a command. @returns The exit code. */
export type RunCommand = (input: CommandInput) => Promise<number>;

/** A command. */
export interface Command {
  /** The name of the command. */
  readonly name: string;
  /** The usage line, without `bws`. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** A longer description: lines of at most 80 characters. */
  readonly details: readonly string[];
  /** Maximum number of arguments that are not flags. */
  readonly maxPositionals: number;
  /** Flags, without those that all commands have. */
  readonly flags: readonly Flag[];
  /** Example command lines, with what they do. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Loads the module of the command, so that other commands do not slow the start. */
  readonly load: () => Promise<RunCommand>;
}

/** The last value of a flag, or undefined. */
export function flagValue(input: CommandInput, name: string): string | undefined {
  return input.flags.get(name)?.at(-1);
}

/** The default config file. */
export const DEFAULT_CONFIG = "config.toml";

/**
 * The paths of the config files, at least one.
 *
 * @throws {UsageError} Files are given both with a flag and without one.
 */
export function configPaths(input: CommandInput): readonly string[] {
  const flag = flagValue(input, "config");
  if (flag === undefined) return input.positionals.length > 0 ? input.positionals : [DEFAULT_CONFIG];
  if (input.positionals.length > 0) {
    throw new UsageError(`Two config files: --config ${flag} and ${input.positionals[0]}, expected one`);
  }
  return [flag];
}

/** The command line is wrong: nothing was done. The program exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
