/**
 * What a command is: how it is called, what its help says, the module that does it, and how that reads its input.
 *
 * @module
 */

import type { Terminal } from "./terminal.ts";

/** A flag of a command. */
export interface Flag {
  /** Long name, without dashes. */
  readonly name: string;
  /** One letter that stands for it. */
  readonly short?: string;
  /** What its value is called in the help; flags without one take no value. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly many?: boolean;
  /** What it does, in one line. */
  readonly help: string;
}

/** What a command was called with. */
export interface CommandInput {
  /** Arguments that are no flags. */
  readonly positionals: readonly string[];
  /** Values of flags by long name, in order; flags without a value have the value `""`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Where to write. */
  readonly terminal: Terminal;
}

/** Does a command's work. @returns The exit code. */
export type RunCommand = (input: CommandInput) => Promise<number>;

/** A command as the command line and the help know it. */
export interface Command {
  /** The word that calls it. */
  readonly name: string;
  /** What comes after `bws`. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What it does in more words: lines of at most 80 characters. */
  readonly details: readonly string[];
  /** How many arguments that are no flags it takes at the most. */
  readonly maxPositionals: number;
  /** Its flags, without those that all commands have. */
  readonly flags: readonly Flag[];
  /** Command lines and what they do. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Loads the module that does it: commands that are not called cost nothing at the start. */
  readonly load: () => Promise<RunCommand>;
}

/** The last value of a flag, or undefined. */
export function flagValue(input: CommandInput, name: string): string | undefined {
  return input.flags.get(name)?.at(-1);
}

/** The config file that is meant where none is named. */
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

/** The command was used wrongly: nothing was done. The program ends with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
