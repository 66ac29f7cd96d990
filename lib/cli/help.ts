/**
 * The help texts, generated from the descriptions of the commands.
 *
 * @module
 */

import { VERSION } from "../version.ts";
import type { Command, Flag } from "./command.ts";
import { COMMANDS, SHARED_FLAGS } from "./commands.ts";
import { paint } from "./terminal.ts";

/** Help for the whole program. */
export function programHelp(colored: boolean): string {
  const shape = shaper(colored);
  return [
    `${paint(colored, "bold", `bws ${VERSION}`)}: a reverse proxy and static web server`,
    "",
    ...shape.section("Usage", [["bws [CONFIG]", "run ./config.toml, or the file that is named"], [
      "bws COMMAND [ARGUMENTS]",
      "",
    ]]),
    ...shape.section("Commands", COMMANDS.map((command) => [command.name, command.summary])),
    ...shape.section("Flags", SHARED_FLAGS.map((flag) => [flagLabel(flag), flag.help])),
    ...shape.section("Examples", [
      ["bws demo", "see it at work, in the browser"],
      ["bws init", "write a config, by a few questions"],
      ["bws files ./public", "serve a folder"],
      ["bws proxy --to http://127.0.0.1:3000", "put a proxy before a server"],
      ["bws check sites.toml", "find the mistakes in a config"],
    ]),
    `${paint(colored, "dim", "bws COMMAND --help prints more about a command.")}`,
  ].join("\n");
}

/** Help for one command. */
export function commandHelp(command: Command, colored: boolean): string {
  const shape = shaper(colored);
  const flags = [...command.flags, ...SHARED_FLAGS];
  return [
    `${paint(colored, "bold", `bws ${command.name}`)}: ${command.summary[0].toLowerCase()}${command.summary.slice(1)}`,
    "",
    ...command.details,
    "",
    ...shape.section("Usage", [[`bws ${command.usage}`, ""]]),
    ...shape.section("Flags", flags.map((flag) => [flagLabel(flag), flag.help])),
    ...shape.section("Examples", command.examples),
  ].join("\n").trimEnd();
}

function flagLabel(flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
}

type Row = readonly [left: string, right: string];

function shaper(colored: boolean): { section(title: string, rows: readonly Row[]): string[] } {
  return {
    section(title, rows) {
      const width = Math.max(...rows.map(([left]) => left.length));
      const lines = rows.map(([left, right]) =>
        `  ${paint(colored, "cyan", left)}${right === "" ? "" : " ".repeat(width - left.length + 3) + right}`
      );
      return [paint(colored, "bold", `${title}:`), ...lines, ""];
    },
  };
}
