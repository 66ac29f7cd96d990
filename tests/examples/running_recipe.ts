/**
 * A recipe of the documentation that runs: its config, on a free port, in front of upstreams of a test.
 *
 * @module
 */

import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { startServer } from "../../lib/process/server.ts";
import { configsOf } from "../support/documented_config.ts";

/** A recipe that runs; `await using` stops it. */
export interface RunningRecipe extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** Options of {@linkcode runRecipe}. */
export interface RecipeOptions {
  /** Port in the recipe, and the one that takes its place. */
  readonly ports: Readonly<Record<number, number>>;
  /** Folder to which paths of the recipe refer. */
  readonly folder?: string;
}

/** Runs a recipe in clear text, for any host. All other lines of it hold. */
export async function runRecipe(name: string, { ports, folder }: RecipeOptions): Promise<RunningRecipe> {
  const [{ text }] = await configsOf(`docs/recipes/${name}.md`);
  const moved = text
    .replace(/^(hostname|listen) = .*\n/gm, "")
    .replace(/^port = \d+$/gm, 'port = 0\nlisten = "127.0.0.1"')
    .replace(/127\.0\.0\.1:(\d+)/g, (_, port) => `127.0.0.1:${ports[Number(port)] ?? port}`);
  const { config, problems } = parseConfig(moved, { baseDir: folder });
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join("; "));
  const server = await startServer(config);
  const { port } = server.addresses[0];
  return { port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void await server.stop() };
}
