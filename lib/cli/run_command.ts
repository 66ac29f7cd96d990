/**
 * `bws run`: the server.
 *
 * @module
 */

import { loadConfig } from "../generation/config/load_config.ts";
import { formatProblems } from "../config/problem.ts";
import { type CommandInput, configPaths } from "./command.ts";
import { serveConfig } from "./serve_config.ts";

/**
 * Serves the sites of a config file. SIGHUP reloads it; with `--watch` any change of the file does.
 *
 * @throws {ConfigError} The file is refused.
 * @throws {ListenError} A port cannot be opened.
 */
export async function runCommand(input: CommandInput): Promise<number> {
  const { terminal } = input;
  const path = configPaths(input)[0];
  const lenient = input.flags.has("lenient");
  const load = () => loadConfig(path, { lenient, aside: true });
  const { config, warnings } = await loadConfig(path, { lenient, tryLog: true });
  if (warnings.length > 0) terminal.printError(formatProblems(warnings, { color: terminal.errorColored }));
  return await serveConfig(config, terminal, { path, load, watched: input.flags.has("watch"), warnings });
}
