/**
 * `bws top` alone, as a program.
 *
 * @module
 */

// @ts-types="../../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { processTerminal } from "../../lib/cli/terminal.ts";
import { topCommand } from "../../lib/cli/top/top_command.ts";

const { _: positionals, ...given } = parseArgs(Deno.args, { boolean: ["once"], string: ["url", "key"] });
const flags = new Map(
  Object.entries(given).filter(([, value]) => value !== false).map(([name, value]) => [name, [String(value)]]),
);
try {
  Deno.exit(await topCommand({ positionals, flags, terminal: processTerminal() }));
} catch (error) {
  processTerminal().printError(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
