/**
 * Parses the command line. Only the first argument can be the name of a command; any other first argument is a config file
 * for `run`.
 *
 * @module
 */

// @ts-types="../../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { nearestName } from "../config/nearest_name.ts";
import { type Command, type Flag, UsageError } from "./command.ts";
import { commandNamed, COMMANDS, DEFAULT_COMMAND, SHARED_FLAGS } from "./commands.ts";

/** A parsed command line. */
export interface ReadArguments {
  /** The command. */
  readonly command: Command;
  /** Whether the command was named; false for the default command. */
  readonly named: boolean;
  /** Arguments that are no flags. */
  readonly positionals: readonly string[];
  /** Values of flags by long name. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** Options of {@linkcode readArguments}. */
export interface ReadArgumentsOptions {
  /**
   * Whether a file or folder of that name exists: a first argument that looks like a misspelt command may be a file.
   *
   * @default {() => false}
   */
  fileExists?: (path: string) => boolean;
}

/**
 * Reads a command line.
 *
 * @param args Arguments without the program's name.
 * @throws {UsageError} A command or flag is unknown, a value is missing, or there are too many arguments.
 */
export function readArguments(args: readonly string[], options: ReadArgumentsOptions = {}): ReadArguments {
  const { fileExists = () => false } = options;
  const [first = ""] = args;
  const found = commandNamed(first);
  if (found === undefined && looksLikeCommand(first) && !fileExists(first)) throw unknownCommand(first);
  const command = found ?? commandNamed(DEFAULT_COMMAND) as Command;
  const { positionals, flags } = readFlags(found === undefined ? args : args.slice(1), command);
  // First, so that --help works whatever else is wrong.
  if (!flags.has("help") && !flags.has("version")) checkCount(command, positionals);
  return { command, named: found !== undefined, positionals, flags };
}

// The name of a config file has a dot or a slash; a misspelt command has neither.
function looksLikeCommand(word: string): boolean {
  return word !== "" && !/^-|[./\\]/.test(word);
}

/** Commands of other programs, with what to use here. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  validate: "bws check CONFIG does that",
  test: "bws check CONFIG does that",
  start: "bws run CONFIG does that",
  serve: "bws run CONFIG does that",
  reload: "a running server reads its config again on SIGHUP (kill -HUP PID), with --watch, or by its management API",
  stop: "a running server ends on SIGTERM (kill PID)",
};

function unknownCommand(word: string): UsageError {
  const other = Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined;
  if (other !== undefined) return new UsageError(`Unknown command ${JSON.stringify(word)}: ${other}`);
  const names = COMMANDS.map((command) => command.name);
  const nearest = nearestName(word, names);
  const suggestion = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new UsageError(
    `Unknown command ${JSON.stringify(word)}, expected ${names.join(", ")} or a config file${suggestion}`,
  );
}

function readFlags(args: readonly string[], command: Command): Pick<ReadArguments, "positionals" | "flags"> {
  const known = [...command.flags, ...SHARED_FLAGS];
  const withValue = known.filter((flag) => flag.value !== undefined).map((flag) => flag.name);
  const parsed = parseArgs(args, {
    boolean: known.filter((flag) => flag.value === undefined).map((flag) => flag.name),
    string: [...withValue, "_"],
    collect: withValue,
    alias: Object.fromEntries(known.flatMap(({ name, short }) => short === undefined ? [] : [[name, short]])),
    unknown: (arg, key) => {
      if (key !== undefined) throw unknownFlag(arg, known);
    },
  });
  const flags = new Map<string, string[]>();
  for (const flag of known) {
    const given = parsed[flag.name];
    if (given === true) flags.set(flag.name, [""]);
    if (!Array.isArray(given) || given.length === 0) continue;
    flags.set(flag.name, readValues(flag, given.map(String)));
  }
  return { positionals: parsed._, flags };
}

function readValues(flag: Flag, values: string[]): string[] {
  if (values.includes("")) throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  if (values.length > 1 && flag.many !== true) throw new UsageError(`--${flag.name} is given ${values.length} times`);
  return values;
}

function unknownFlag(arg: string, known: readonly Flag[]): UsageError {
  const name = arg.split("=", 1)[0];
  const nearest = nearestName(name, known.map((flag) => `--${flag.name}`));
  return new UsageError(`Unknown flag ${name}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`);
}

function checkCount({ name, maxPositionals }: Command, positionals: readonly string[]): void {
  if (positionals.length <= maxPositionals) return;
  const expected = maxPositionals === 0 ? "none" : `at most ${maxPositionals}`;
  throw new UsageError(
    `${name} does not know what to do with ${JSON.stringify(positionals[maxPositionals])}: ` +
      `it was given ${positionals.length} arguments, expected ${expected}`,
  );
}
