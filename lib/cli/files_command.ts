/**
 * `bws files`: serves the files of a folder.
 *
 * @module
 */

import { type CommandInput, flagValue } from "./command.ts";
import { flagConfig, readPort } from "./flag_config.ts";
import { serveConfig } from "./serve_config.ts";

/**
 * Serves the files of a folder.
 *
 * @throws {UsageError} The value of a flag or the folder is invalid.
 * @throws {ListenError} The port cannot be opened.
 */
export async function filesCommand(input: CommandInput): Promise<number> {
  const [folder = "."] = input.positionals;
  const config = flagConfig({
    logging: { format: "combined" },
    sites: [{
      name: folder,
      port: readPort(flagValue(input, "port") ?? "8080"),
      static_dir: folder,
      browse: input.flags.has("browse"),
      internal_api: false,
    }],
  });
  return await serveConfig(config, input.terminal);
}
