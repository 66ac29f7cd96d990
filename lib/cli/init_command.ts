/**
 * `bws init`: writes a config.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../types/std/path.d.ts"
import { relative } from "@std/path/relative";
// @ts-types="../../types/std/path.d.ts"
import { resolve } from "@std/path/resolve";
import { sentenceOf } from "../config/problem.ts";
import type { Config } from "../generation/config/config_types.ts";
import { parseConfig } from "../generation/config/parse_config.ts";
import { type CommandInput, DEFAULT_CONFIG, flagValue, UsageError } from "./command.ts";
import { findProject, type FoundProject } from "./init/found_project.ts";
import {
  type InitAnswers,
  readFolder,
  readHealth,
  readHostname,
  readPaths,
  readSitePort,
  readUpstreams,
} from "./init/init_answers.ts";
import { initText } from "./init/init_text.ts";
import { askAll, type Asker, InputEnded, type KnownAnswers } from "./init/questions.ts";
import { listenLines } from "./listen_lines.ts";
import { paint, type Terminal } from "./terminal.ts";

/**
 * Asks what is to be served, unless flags say it, and writes a config, at the end and in one step. A file that is there is
 * kept, unless `--force` is given.
 *
 * @param asker Where questions are asked; undefined where there is no terminal.
 * @throws {UsageError} A flag is wrong, or the file is there.
 */
export async function initCommand(input: CommandInput, asker: Asker | undefined = terminalAsker()): Promise<number> {
  const output = outputOf(input);
  const force = input.flags.has("force");
  if (!force && await exists(output)) throw alreadyThere(output);
  const known = knownAnswers(input);
  const found = await findProject(".");
  const asked = input.flags.has("yes") ? undefined : asker;
  if (asked === undefined && !input.flags.has("yes") && known.root === undefined && known.upstreams === undefined) {
    throw new UsageError("There is no terminal to ask on: say what is served with --upstream or --root, or --yes");
  }
  if (asked !== undefined) greet(asked, output, found);
  else if (found === undefined && known.root === undefined && known.upstreams === undefined) {
    input.terminal.printError("bws: nothing is known of this folder, so an application on port 3000 is assumed");
  }
  let answers: InitAnswers;
  try {
    answers = await askAll(known, found, asked);
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error;
    input.terminal.printError(`\nbws: ${error.message}`);
    return 1;
  }
  checkFlags(input, answers);
  const { text, config } = written(answers, output);
  await write(output, text, force);
  report(input.terminal, { output, config, answers });
  return 0;
}

function outputOf(input: CommandInput): string {
  const [flag, [positional]] = [flagValue(input, "output"), input.positionals];
  if (flag !== undefined && positional !== undefined) {
    throw new UsageError(`Two files to write: --output ${flag} and ${positional}, expected one`);
  }
  return flag ?? positional ?? DEFAULT_CONFIG;
}

/** @throws {UsageError} A flag would have no effect. */
function checkFlags({ flags }: CommandInput, { root, upstreams }: InitAnswers): void {
  if (flags.has("health") && upstreams.length === 0) {
    throw new UsageError("--health is of an application: --upstream URL");
  }
  if (flags.has("spa") && root === undefined) throw new UsageError("--spa is of files: --root DIR");
  if (flags.has("path") && (root === undefined || upstreams.length === 0)) {
    throw new UsageError("--path is of an application beside files: --upstream URL and --root DIR");
  }
}

function knownAnswers(input: CommandInput): KnownAnswers {
  const { flags } = input;
  const read = <T>(name: string, reader: (text: string) => T): T | undefined => {
    const text = flags.get(name)?.join(" ");
    return text === undefined ? undefined : reader(text);
  };
  const upstreams = read("upstream", readUpstreams);
  const [hostname, health] = [read("hostname", readHostname), read("health", readHealth)];
  // With flags that say what is served, only they count; the rest is usual.
  return {
    ...{ root: read("root", readFolder), upstreams, paths: read("path", readPaths) },
    ...(flags.has("hostname") ? { hostname } : {}),
    ...(flags.has("health") ? { health } : {}),
    port: read("port", (text) => readSitePort(text, { hostname: hostname ?? "localhost", upstreams: upstreams ?? [] })),
    dashboard: flags.has("dashboard") ? true : undefined,
    singlePage: flags.has("spa") ? true : undefined,
  };
}

function greet(asker: Asker, output: string, found: FoundProject | undefined): void {
  asker.say(`This writes ${output}. Enter takes what stands in brackets; Ctrl-C ends it, and nothing is written.`);
  if (found !== undefined) asker.say(`In this folder: ${found.what}.`);
  asker.say("");
}

/** The text, which is read as a start would read it. */
function written(answers: InitAnswers, output: string): { text: string; config: Config } {
  const baseDir = dirname(resolve(output));
  const root = answers.root === undefined ? undefined : relative(baseDir, resolve(answers.root)) || ".";
  const text = initText({ ...answers, root: root?.replaceAll("\\", "/") });
  const { config, problems, warnings } = parseConfig(text, { file: output, baseDir });
  const faults = [...problems, ...warnings];
  if (config === undefined || faults.length > 0) throw new UsageError(faults.map(sentenceOf).join("; "));
  return { text, config };
}

async function write(path: string, text: string, force: boolean): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: !force });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw alreadyThere(path);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot write ${path}: ${reason}`, { cause: error });
  }
}

function report(
  terminal: Terminal,
  { output, config, answers }: { output: string; config: Config; answers: InitAnswers },
): void {
  const { root, upstreams, port } = answers;
  const name = output === DEFAULT_CONFIG ? "" : ` ${output}`;
  const url = answers.hostname === undefined
    ? listenLines(config).at(-1)?.url
    : `${port === 443 ? "https" : "http"}://${answers.hostname}${port === 443 || port === 80 ? "" : `:${port}`}`;
  const served = [...(root === undefined ? [] : [`the files of ${root}`]), ...upstreams].join(", ");
  const command = (text: string) => paint(terminal.outputColored, "cyan", text);
  terminal.print(`Wrote ${output}: ${url} serves ${served}`);
  terminal.print(`Next:  ${command(`bws${name}`)}`);
  if (port < 1024) {
    terminal.print(
      `       Port ${port} is open to root alone on most systems: sudo, or AmbientCapabilities of systemd.`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function alreadyThere(path: string): UsageError {
  return new UsageError(`${path} is there already; --output names another file, --force replaces it`);
}

function terminalAsker(): Asker | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const write = (text: string) => void Deno.stderr.writeSync(encoder.encode(text));
  let rest = "";
  return {
    say: (text) => write(`${text}\n`),
    async line(prompt) {
      write(prompt);
      const buffer = new Uint8Array(4096);
      while (!rest.includes("\n")) {
        const count = await Deno.stdin.read(buffer);
        if (count === null) return undefined;
        rest += decoder.decode(buffer.subarray(0, count), { stream: true });
      }
      const end = rest.indexOf("\n");
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return line;
    },
  };
}
