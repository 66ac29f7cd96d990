// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { readArguments } from "../../lib/cli/arguments.ts";
import { COMMANDS, SHARED_FLAGS } from "../../lib/cli/commands.ts";
import { commandHelp, programHelp } from "../../lib/cli/help.ts";
import { UsageError } from "../../lib/cli/command.ts";

function read(line: string, files: string[] = []) {
  const { command, positionals, flags } = readArguments(line === "" ? [] : line.split(" "), {
    fileExists: (path) => files.includes(path),
  });
  return { command: command.name, positionals, flags: Object.fromEntries(flags) };
}

Deno.test("readArguments() takes a first argument that is no command for the config of run", () => {
  assertEquals(read(""), { command: "run", positionals: [], flags: {} });
  assertEquals(read("sites.toml"), { command: "run", positionals: ["sites.toml"], flags: {} });
  assertEquals(read("run sites.toml"), { command: "run", positionals: ["sites.toml"], flags: {} });
  assertEquals(read("./sites"), { command: "run", positionals: ["./sites"], flags: {} });
  assertEquals(read("sites", ["sites"]), { command: "run", positionals: ["sites"], flags: {} });
  assertEquals(read("--config sites.toml"), { command: "run", positionals: [], flags: { config: ["sites.toml"] } });
  assertEquals(read("-c sites.toml"), { command: "run", positionals: [], flags: { config: ["sites.toml"] } });
});

Deno.test("readArguments() reads flags in every form, and keeps numbers as they were written", () => {
  assertEquals(read("check --strict a.toml").flags, { strict: [""] });
  assertEquals(read("files --port=080 -b 1e3"), {
    command: "files",
    positionals: ["1e3"],
    flags: { port: ["080"], browse: [""] },
  });
  assertEquals(read("proxy --to a -t b --to=c").flags, { to: ["a", "b", "c"] });
});

Deno.test("readArguments() names the nearest command and the nearest flag", () => {
  assertThrows(() => read("chekc a.toml"), UsageError, 'did you mean "check"?');
  assertThrows(() => read("check --strickt"), UsageError, "Unknown flag --strickt; did you mean --strict?");
  assertThrows(() => read("check --port=1"), UsageError, "Unknown flag --port");
  assertThrows(() => read("-x"), UsageError, "Unknown flag -x");
});

Deno.test("readArguments() says how what other programs call reload, stop or validate is done", () => {
  for (const [word, hint] of [["reload", "SIGHUP"], ["stop", "SIGTERM"], ["validate", "bws check"]]) {
    assertThrows(() => readArguments([word]), UsageError, hint);
  }
  assertThrows(() => readArguments(["constructor"]), UsageError, "Unknown command");
});

Deno.test("readArguments() refuses missing values, repeated flags and surplus arguments", () => {
  assertThrows(() => read("files --port"), UsageError, "--port needs a value: --port PORT");
  assertThrows(() => read("--config"), UsageError, "--config needs a value");
  assertThrows(() => read("files --port 1 --port 2"), UsageError, "--port is given 2 times");
  assertThrows(() => read("run a.toml b.toml"), UsageError, "at most 1");
  assertThrows(() => read("schema x"), UsageError, "expected none");
});

Deno.test("Help names every command and every flag, in lines that fit a terminal of 100 columns", () => {
  const program = programHelp(false);
  for (const command of COMMANDS) {
    assertStringIncludes(program, `\n  ${command.name} `);
    const help = commandHelp(command, false);
    for (const flag of [...command.flags, ...SHARED_FLAGS]) assertStringIncludes(help, `--${flag.name}`);
    for (const line of help.split("\n")) assertFalse(line.length > 100, line);
  }
  assertFalse(program.includes("\x1b"));
  assertStringIncludes(programHelp(true), "\x1b[1m");
});
