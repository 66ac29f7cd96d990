/**
 * Proxies from npm, installed when they are needed into a folder outside the tree that outlives a run.
 *
 * @module
 */

/** What is installed, each in one version, so that runs compare. */
const VERSIONS: Readonly<Record<string, string>> = {
  "http-proxy-3": "2.0.1",
  "httpxy": "0.5.6",
  "fastify": "5.12.8",
  "@fastify/http-proxy": "11.6.3",
  "undici": "7.30.2",
  "hono": "4.13.19",
  "@hono/node-server": "2.1.8",
  "bun": "1.4.5",
};

/** How long npm may take. */
const TIMEOUT_MS = 180_000;

/** Where they are. */
export const PACKAGES_FOLDER = `${Deno.env.get("TMPDIR") ?? "/tmp"}/bws-bench-peers`;

/**
 * Installs packages of the list; gives the version of the first.
 *
 * @throws {Error} When npm cannot, with what it said last.
 */
export async function installPackages(...names: string[]): Promise<string> {
  const absent: string[] = [];
  for (const name of names) if (await versionHere(name) !== VERSIONS[name]) absent.push(`${name}@${VERSIONS[name]}`);
  if (absent.length > 0) await npmInstall(absent);
  return VERSIONS[names[0]];
}

async function npmInstall(specifiers: string[]): Promise<void> {
  await Deno.mkdir(PACKAGES_FOLDER, { recursive: true });
  // Without one, npm would look for a package in the folders above.
  const manifest = `${PACKAGES_FOLDER}/package.json`;
  if (!await exists(manifest)) await Deno.writeTextFile(manifest, `{ "private": true, "type": "module" }\n`);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("npm", {
      args: ["install", "--no-audit", "--no-fund", "--save-exact", ...specifiers],
      cwd: PACKAGES_FOLDER,
      stdin: "null",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).output();
  } catch {
    throw new Error("npm is not installed");
  }
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).split("\n").find((line) => line.startsWith("npm error"));
  throw new Error(`npm could not install ${specifiers.join(", ")}: ${said ?? "it gave no reason"}`);
}

async function versionHere(name: string): Promise<string | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${PACKAGES_FOLDER}/node_modules/${name}/package.json`)).version;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
