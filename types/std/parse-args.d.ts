/** The part of `@std/cli/parse-args` that BWS uses. */

/** How arguments are read. */
export interface ParseArgsOptions {
  /** Names of flags without a value. */
  boolean?: readonly string[];
  /** Names of flags with a value; `_` keeps positionals as text. */
  string?: readonly string[];
  /** Names of flags whose values are gathered in a list. */
  collect?: readonly string[];
  /** Other names of flags, by name. */
  alias?: Readonly<Record<string, string>>;
  /** Called for what no other option names: flags with their `key`, positionals without. False drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Reads arguments: flags by name, and what is no flag in `_`. */
export function parseArgs(
  args: readonly string[],
  options?: ParseArgsOptions,
): { _: string[]; [flag: string]: unknown };
