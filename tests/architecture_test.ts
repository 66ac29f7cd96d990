/**
 * Rules of the code that a machine can check: imports point down the layers and in no circle, only mod.ts re-exports, and files stay
 * small enough to hold one noun.
 *
 * @module
 */

// @ts-types="../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/**
 * Folders of lib/ by layer: a folder imports itself and lower layers. Two folders of one layer may share the types of a
 * contract, never code.
 */
const LAYERS: Readonly<Record<string, number>> = {
  ...{ cli: 8, demo: 8, process: 7, admin: 7, generation: 6, listener: 5, features: 4, handlers: 4 },
  ...{ exchange: 3, routing: 3, upstream: 2, config: 2, http: 1, http1: 1, http2: 1, sockets: 1, redis: 1 },
  ...{ failure: 0, state: 0, metrics: 0, telemetry: 0, log: 0 },
};

/**
 * Keys of the config stand in the folder of what they configure, whatever its layer, and are composed in
 * `generation/config/`. So that it may load them, they import what is below generation alone, and in any layer the engine
 * of `config/`, in which they are written; their types are for handlers and features too.
 */
const KEYS = /^lib\/(?!config\/|generation\/).*(?:_schema\.ts|_checks\.ts|\/config\/[^/]+\.ts)$/;
const KEYS_LAYER = 5.5;
const KEYS_TYPES_LAYER = 3.5;

/** Imports that break the rule and are to go: the list may only become shorter. */
const TO_GO: readonly string[] = [];

interface Import {
  file: string;
  target: string;
  /** Whether it imports types alone. */
  typesOnly: boolean;
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
  return [...text.matchAll(IMPORT)].map(({ groups }) => {
    const { type, names = "", from, effect, dynamic } = groups as Record<string, string | undefined>;
    const specifier = from ?? effect ?? dynamic ?? "";
    const target = specifier.startsWith(".")
      ? new URL(specifier, source).pathname.slice(ROOT.pathname.length)
      : specifier;
    return { file, target, typesOnly: type !== undefined || allTypes(names) };
  });
}

const IMPORT =
  /^(?:import|export)\s+(?<type>type\s+)?(?<names>[\w$*{][^"';]*?)\s*\bfrom\s+"(?<from>[^"]+)"|^import\s+"(?<effect>[^"]+)"|\bimport\(\s*"(?<dynamic>[^"]+)"/gm;

/** Whether the names of an import statement are types alone. */
function allTypes(names: string): boolean {
  const listed = /^\{([^}]*)\}$/.exec(names)?.[1].split(",").map((name) => name.trim()).filter((name) => name !== "");
  return listed !== undefined && listed.length > 0 && listed.every((name) => name.startsWith("type "));
}

function folderOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

/** Why an import breaks the rule, or undefined. */
function fault({ file, target, typesOnly }: Import): string | undefined {
  const from = folderOf(file);
  if (!target.startsWith("lib/")) return target.endsWith("mod.ts") ? "mod.ts is for those outside" : undefined;
  const to = folderOf(target);
  if (from === undefined || to === undefined) return undefined;
  if (!(from in LAYERS)) return `lib/${from}/ has no layer`;
  if (!(to in LAYERS)) return `lib/${to}/ has no layer`;
  if (from === to && (!KEYS.test(file) || KEYS.test(target) || LAYERS[to] < KEYS_LAYER)) return undefined;
  if (KEYS.test(file) && to === "config") return undefined;
  const above = KEYS.test(file) ? Math.min(LAYERS[from], KEYS_LAYER) : LAYERS[from];
  const below = KEYS.test(target) ? Math.min(LAYERS[to], typesOnly ? KEYS_TYPES_LAYER : KEYS_LAYER) : LAYERS[to];
  if (below < above || (below === above && (typesOnly || KEYS.test(target)))) return undefined;
  return `lib/${to}/ is not below lib/${from}/`;
}

Deno.test("imports in lib/ point down the layers", () => {
  const imports = sources(new URL("lib/", ROOT)).flatMap(importsOf);
  // The check itself must see something, and must be able to fail.
  assertEquals(imports.length > 200, true, "found too few imports to believe it");
  assertEquals(imports.filter(({ typesOnly }) => typesOnly).length > 100, true, "found too few imports of types");
  const code = { typesOnly: false };
  assertEquals(fault({ file: "lib/http/a.ts", target: "lib/generation/b.ts", typesOnly: true }) !== undefined, true);
  assertEquals(fault({ file: "lib/exchange/a.ts", target: "lib/routing/b.ts", ...code }) !== undefined, true);
  assertEquals(fault({ file: "lib/exchange/a.ts", target: "lib/routing/b.ts", typesOnly: true }), undefined);
  assertEquals(fault({ file: "lib/generation/config/a.ts", target: "lib/admin/b_schema.ts", ...code }), undefined);
  assertEquals(fault({ file: "lib/generation/a.ts", target: "lib/admin/b.ts", ...code }) !== undefined, true);
  assertEquals(fault({ file: "lib/admin/a_schema.ts", target: "lib/admin/b.ts", ...code }) !== undefined, true);
  assertEquals(fault({ file: "lib/admin/a_schema.ts", target: "lib/listener/b_schema.ts", ...code }), undefined);
  assertEquals(fault({ file: "lib/features/a.ts", target: "lib/admin/b_schema.ts", ...code }) !== undefined, true);
  assertEquals(fault({ file: "lib/upstream/config/a_schema.ts", target: "lib/config/b.ts", ...code }), undefined);
  assertEquals(fault({ file: "lib/upstream/a.ts", target: "lib/config/b.ts", ...code }) !== undefined, true);
  const faults = imports.flatMap((found) => {
    const why = fault(found);
    return why === undefined ? [] : [`${found.file} imports ${found.target}: ${why}`];
  });
  assertEquals(faults.sort(), [...TO_GO].sort());
});

Deno.test("no files of lib/ import each other's code in a circle", () => {
  const graph = new Map<string, string[]>();
  for (const source of sources(new URL("lib/", ROOT))) {
    const targets = importsOf(source).filter(({ typesOnly }) => !typesOnly).map(({ target }) => target);
    graph.set(source.pathname.slice(ROOT.pathname.length), targets);
  }
  // The check itself must be able to fail.
  assertEquals(circles(new Map([["a", ["b", "d"]], ["b", ["c"]], ["c", ["b"]], ["d", ["b"]]])), ["b → c → b"]);
  assertEquals(circles(graph), []);
});

/** The circles that a walk along `graph` meets, each once. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const since = path.indexOf(file);
    if (since >= 0) found.push([...path.slice(since), file].join(" → "));
    if (since >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

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
