/**
 * The command line: finds the command, runs it, and turns errors into an exit code. 0 is success, 1 a config that is refused
 * or a port that cannot be opened, 2 a wrong command line.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import { formatProblems } from "../config/problem.ts";
import { VERSION } from "../version.ts";
import { type ReadArguments, readArguments } from "./arguments.ts";
import { type Command, UsageError } from "./command.ts";
import { commandNamed } from "./commands.ts";
import { commandHelp, programHelp } from "./help.ts";
import { paint, processTerminal, type Terminal } from "./terminal.ts";

/**
 * Runs `bws`.
 *
 * @param args Arguments without the program's name.
 * @param terminal The output.
 * @returns The exit code.
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let command: Command | undefined;
  try {
    const read = readArguments(usualArguments(args), { fileExists });
    command = read.command;
    const text = helpOrVersion(read, terminal);
    if (text !== undefined) {
      terminal.print(text);
      return 0;
    }
    const run = await command.load();
    return await run({ positionals: read.positionals, flags: read.flags, terminal });
  } catch (error) {
    return failed(error, command ?? commandNamed(args[0] ?? ""), terminal);
  }
}

// Forms that users of other programs know.
function usualArguments([first, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  if (first === "help") return [...rest, "--help"];
  if (first === "version" || first === "-v") return ["--version"];
  return first === "-t" ? ["check", ...rest] : [first, ...rest];
}

// The output of --help and --version, for which the command is not run.
function helpOrVersion({ command, named, positionals, flags }: ReadArguments, terminal: Terminal): string | undefined {
  if (flags.has("help")) {
    const about = named ? command : commandNamed(positionals[0] ?? "");
    return about === undefined ? programHelp(terminal.outputColored) : commandHelp(about, terminal.outputColored);
  }
  if (flags.has("version")) return `bws ${VERSION}`;
  return undefined;
}

function failed(error: unknown, command: Command | undefined, terminal: Terminal): number {
  const colored = terminal.errorColored;
  const label = paint(colored, "red", "bws:");
  if (error instanceof UsageError) {
    terminal.printError(`${label} ${error.message}`);
    terminal.printError(`Usage: bws ${command?.usage ?? "[CONFIG] | COMMAND [ARGUMENTS]"}`);
    terminal.printError(`Try:   bws ${command === undefined ? "" : `${command.name} `}--help`);
    return 2;
  }
  if (error instanceof ConfigError) {
    terminal.printError(formatProblems(error.problems, { color: colored }));
    const count = error.problems.length;
    // A file that cannot be read has one problem, which is said already.
    if (error.problems.some(({ line, path }) => line > 0 || path !== "")) {
      terminal.printError(`${label} The config is refused: ${count === 1 ? "1 problem" : `${count} problems`}`);
    }
    return 1;
  }
  // A port that cannot be opened, or a file that cannot be read: the message is complete.
  terminal.printError(`${label} ${error instanceof Error ? error.message : String(error)}`);
  return 1;
}

function fileExists(path: string): boolean {
  try {
    // Of a folder, `run` says what else to do with it.
    const { isFile, isDirectory } = Deno.statSync(path);
    return isFile || isDirectory;
  } catch {
    return false;
  }
}
