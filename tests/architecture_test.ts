/**
 * The rules of the house that a machine can check: imports point down the floors, only mod.ts re-exports, and files stay
 * small enough to hold one noun.
 *
 * @module
 */

// @ts-types="../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/**
 * Folders of lib/ by floor; a folder imports itself and lower floors only. transport/ stands half a floor above http/,
 * whose field-name syntax and header lines it reads answers with.
 */
const FLOORS: Readonly<Record<string, number>> = {
  ...{ cli: 7, server: 6, admin: 6, listener: 6, gateway: 5, config: 4, routing: 3, static: 3, proxy: 3, websocket: 3 },
  ...{ upstream: 2, balancer: 2, transport: 1.5, http: 1, metrics: 0, state: 0, log: 0, telemetry: 0 },
};

interface Import {
  file: string;
  target: string;
  line: number;
}

function sources(folder: URL): URL[] {
  const found: URL[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) found.push(...sources(new URL(entry.name + "/", folder)));
    else if (entry.name.endsWith(".ts")) found.push(new URL(entry.name, folder));
  }
  return found;
}

function importsOf(source: URL): Import[] {
  const file = source.pathname.slice(ROOT.pathname.length);
  const text = Deno.readTextFileSync(source);
  const found: Import[] = [];
  for (const match of text.matchAll(/(?:^|\n)[^\n*/]*(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"]+)"/g)) {
    const target = match[1].startsWith(".") ? new URL(match[1], source).pathname.slice(ROOT.pathname.length) : match[1];
    found.push({ file, target, line: text.slice(0, match.index).split("\n").length });
  }
  return found;
}

function folderOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

/** Why an import breaks the rule, or undefined. */
function fault({ file, target }: Import): string | undefined {
  const from = folderOf(file);
  if (!target.startsWith("lib/")) return target.endsWith("mod.ts") ? "mod.ts is for those outside" : undefined;
  const to = folderOf(target);
  if (from === undefined || to === undefined || from === to) return undefined;
  if (!(from in FLOORS)) return `lib/${from}/ has no floor`;
  if (!(to in FLOORS)) return `lib/${to}/ has no floor`;
  return FLOORS[to] < FLOORS[from] ? undefined : `lib/${to}/ (floor ${FLOORS[to]}) is not below lib/${from}/`;
}

Deno.test("imports in lib/ point down the floors", () => {
  const imports = sources(new URL("lib/", ROOT)).flatMap(importsOf);
  // The check itself must see something, and must be able to fail.
  assertEquals(imports.length > 200, true, "found too few imports to believe it");
  assertEquals(fault({ file: "lib/http/a.ts", target: "lib/gateway/b.ts", line: 1 }) !== undefined, true);
  assertEquals(fault({ file: "lib/proxy/a.ts", target: "lib/routing/b.ts", line: 1 }) !== undefined, true);
  const faults = imports.flatMap((found) => {
    const why = fault(found);
    return why === undefined ? [] : [`${found.file}:${found.line} imports ${found.target}: ${why}`];
  });
  assertEquals(faults, []);
});

Deno.test("mod.ts is the only module that re-exports values", () => {
  const faults = sources(new URL("lib/", ROOT)).filter((source) =>
    /^export (?:\*|\{[^}]*\}) from /m.test(Deno.readTextFileSync(source))
  );
  assertEquals(faults.map((source) => source.pathname.slice(ROOT.pathname.length)), []);
});

Deno.test("no file of lib/ is longer than 400 lines", () => {
  // Nobody writes the types of a config by hand.
  const written = sources(new URL("lib/", ROOT)).filter(({ pathname }) => !pathname.endsWith("/config_types.ts"));
  const long = written.filter((source) => Deno.readTextFileSync(source).split("\n").length > 400);
  assertEquals(long.map((source) => source.pathname.slice(ROOT.pathname.length)), []);
});
