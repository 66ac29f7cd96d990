/**
 * What stands in a folder that somebody wants to serve, by its files.
 *
 * @module
 */

// @ts-types="../../../types/std/path.d.ts"
import { join } from "@std/path/join";

/** What was found. */
export interface FoundProject {
  /** What it is, and by which file that is known: `Next.js (package.json)`. */
  readonly what: string;
  /** Folder of files, relative to the folder that was looked at. */
  readonly root?: string;
  /** Whether the files are a single-page application. */
  readonly singlePage?: boolean;
  /** URL on which the application usually listens. */
  readonly upstream?: string;
}

/** An application, by a package that it has. */
interface Framework {
  readonly what: string;
  /** The port on which it listens unless it is told another. */
  readonly port: number;
  /** Whether it serves its own files, so that there are none beside it. */
  readonly ownFiles?: boolean;
}

/** Packages of npm, the most telling first. */
const NPM: Readonly<Record<string, Framework>> = {
  next: { what: "Next.js", port: 3000, ownFiles: true },
  nuxt: { what: "Nuxt", port: 3000, ownFiles: true },
  "@nestjs/core": { what: "Nest", port: 3000 },
  express: { what: "Express", port: 3000 },
  fastify: { what: "Fastify", port: 3000 },
  koa: { what: "Koa", port: 3000 },
  hono: { what: "Hono", port: 3000 },
};

/** Packages of Python. */
const PYTHON: Readonly<Record<string, Framework>> = {
  fastapi: { what: "FastAPI", port: 8000 },
  django: { what: "Django", port: 8000 },
  flask: { what: "Flask", port: 5000 },
  uvicorn: { what: "uvicorn", port: 8000 },
  gunicorn: { what: "gunicorn", port: 8000 },
};

/** Folders into which sites are built. */
const BUILT = ["dist", "build", "out", "_site", "public"];

/**
 * Looks what stands in a folder. Only files at its top are read, and none is run.
 *
 * @returns Undefined where nothing is known.
 */
export async function findProject(folder: string): Promise<FoundProject | undefined> {
  const built = await builtFolder(folder);
  const npm = await npmProject(folder);
  const found = npm === "vite" ? undefined : npm ?? await otherApplication(folder);
  if (npm === "vite" && built === undefined) {
    return { what: "Vite's development server (package.json)", upstream: localUrl(5173) };
  }
  if (found !== undefined) {
    const upstream = localUrl(found.port);
    if (found.ownFiles === true || built === undefined) return { what: found.what, upstream };
    return { what: `${found.what}, and files in ${built}/`, root: built, upstream };
  }
  if (built !== undefined) {
    const singlePage = npm === "vite";
    return { what: singlePage ? `what Vite has built in ${built}/` : `files in ${built}/`, root: built, singlePage };
  }
  if (await exists(join(folder, "index.html"))) return { what: "index.html", root: "." };
  return undefined;
}

async function npmProject(folder: string): Promise<Framework | "vite" | undefined> {
  const file = parsed(await textOf(join(folder, "package.json")));
  if (file === undefined) return undefined;
  const scripts = tableOf(file.scripts);
  const packages = { ...tableOf(file.devDependencies), ...tableOf(file.dependencies) };
  const commands = Object.values(scripts).filter((command) => typeof command === "string").join("\n");
  for (const [name, framework] of Object.entries(NPM)) {
    if (!Object.hasOwn(packages, name) && !new RegExp(`(^|[\\s/])${name}\\s`, "m").test(`${commands} `)) continue;
    return { ...framework, what: `${framework.what} (package.json)`, port: portOf(scripts) ?? framework.port };
  }
  if (Object.hasOwn(packages, "vite") || /(^|\s)vite(\s|$)/m.test(commands)) return "vite";
  return undefined;
}

/** The port that a script names: `next start -p 4000`, `PORT=4000 node server.js`. */
function portOf(scripts: Readonly<Record<string, unknown>>): number | undefined {
  for (const name of ["start", "serve", "dev"]) {
    const command = scripts[name];
    if (typeof command !== "string") continue;
    const [, port] = /(?:--port[ =]|-p[ =]?|\bPORT=)(\d{2,5})\b/.exec(command) ?? [];
    if (port !== undefined && Number(port) <= 65535) return Number(port);
  }
  return undefined;
}

async function otherApplication(folder: string): Promise<Framework | undefined> {
  const has = (name: string) => exists(join(folder, name));
  if (await has("manage.py")) return { what: "Django (manage.py)", port: 8000 };
  for (const file of ["pyproject.toml", "requirements.txt"]) {
    const text = (await textOf(join(folder, file)))?.toLowerCase();
    const name = text && Object.keys(PYTHON).find((one) => new RegExp(`(^|["'\\s])${one}(\\W|$)`, "m").test(text));
    if (name) return { ...PYTHON[name], what: `${PYTHON[name].what} (${file})` };
  }
  for (const file of ["deno.json", "deno.jsonc"]) {
    if (await has(file)) return { what: `a Deno application (${file})`, port: 8000 };
  }
  if (await has("index.php")) return { what: "PHP (index.php)", port: 8000, ownFiles: true };
  return undefined;
}

async function builtFolder(folder: string): Promise<string | undefined> {
  for (const name of BUILT) if (await exists(join(folder, name, "index.html"))) return name;
  return undefined;
}

function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** Undefined where it cannot be read: it only proposes a default. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}

function parsed(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    return tableOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function tableOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
