/**
 * What a start loads, and which packages the product is made of.
 *
 * @module
 */

// @ts-types="../types/std/assert.d.ts"
import { assert, assertEquals, assertLess } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Folders of what serves. A feature is one thing, its keys and its filter, so features load with every config. */
const SERVING = [
  ...[
    "generation",
    "exchange",
    "handlers/proxy",
    "handlers/websocket",
    "process",
    "admin",
    "listener",
    "sockets",
    "http1",
  ],
];

/** Keys of the config, and lists of their values: they stand beside what they configure, and load with every config. */
const KEYS = /_schema\.ts$|_checks\.ts$|_kind\.ts$|driver_name\.ts$|\/config\/[^/]+\.ts$/;

/**
 * What checks need besides: failures of features, placeholders, the contract of buffered bodies, names of header fields as bytes, certificate files, which listener and how many files there are. None of it
 * opens a port.
 */
const CHECKED = new Set([
  ...[
    "access_log",
    "body_buffering",
    "exchange_failure",
    "field_text",
    "field_value",
    "placeholder_values",
    "placeholders",
  ].map((
    name,
  ) => `lib/exchange/${name}.ts`),
  ...["header_bytes", "word_view"].map((name) => `lib/http1/${name}.ts`),
  "lib/listener/listener_choice.ts",
  ...["certificate_file", "certificate_names", "distinguished_name", "pem", "site_tls"].map((name) =>
    `lib/listener/tls/${name}.ts`
  ),
  "lib/process/open_files.ts",
]);

interface Module {
  specifier: string;
  dependencies?: { specifier: string; isDynamic?: boolean; code?: { specifier: string } }[];
}

interface Loaded {
  /** Files of the repository, by their path in it. */
  readonly files: ReadonlySet<string>;
  /** Names of packages, without their versions. */
  readonly packages: ReadonlySet<string>;
}

/** What is loaded before the first line of `entry` runs, or, with `dynamic`, ever. */
async function loadedBy(entry: string, dynamic = false): Promise<Loaded> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(entry, ROOT).pathname],
    env: { NO_COLOR: "1" },
  }).output();
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (specifier: string) => {
    const path = specifier.slice(ROOT.href.length);
    if (files.has(path)) return;
    files.add(path);
    for (const { code, isDynamic } of bySpecifier.get(specifier)?.dependencies ?? []) {
      // Types alone load nothing.
      if (code === undefined || (isDynamic === true && !dynamic)) continue;
      const name = NPM.exec(code.specifier)?.[1];
      if (name !== undefined) packages.add(name);
      else if (code.specifier.startsWith(ROOT.href)) visit(code.specifier);
    }
  };
  visit(new URL(entry, ROOT).href);
  return { files, packages };
}

function within({ files }: Loaded, folder: string): string[] {
  return [...files].filter((path) => path.startsWith(folder));
}

Deno.test("bws --version and --help load the command line alone, and no package but that of arguments", async () => {
  // `main.ts` takes the signals before it loads this.
  const loaded = await loadedBy("lib/cli/main.ts");
  assertEquals([...loaded.packages], ["deno-std"]);
  for (const folder of SERVING) assertEquals(within(loaded, `lib/${folder}/`), [], folder);
  assertLess(loaded.files.size, 20);
});

Deno.test("bws check loads the config, and nothing that serves", async () => {
  const loaded = await loadedBy("lib/cli/check_command.ts");
  for (const folder of SERVING) {
    const serving = within(loaded, `lib/${folder}/`).filter((path) => !KEYS.test(path) && !CHECKED.has(path));
    assertEquals(serving, [], folder);
  }
});

Deno.test("bws run loads no management API, no workers, no driver of Linux and no demo before a config asks for them", async () => {
  const loaded = await loadedBy("lib/cli/run_command.ts");
  assert(loaded.files.has("lib/process/server.ts"), "the graph was read");
  // The list of failures is kept without the API too.
  assertEquals(
    within(loaded, "lib/admin/").filter((path) => path !== "lib/admin/failure_list.ts" && !KEYS.test(path)),
    [],
  );
  assertEquals(within(loaded, "lib/process/").filter((path) => path.includes("/worker_server")), []);
  assertEquals([
    ...within(loaded, "lib/demo/"),
    ...within(loaded, "lib/sockets/epoll/"),
    ...within(loaded, "lib/sockets/linux/"),
    ...within(loaded, "lib/sockets/uring/"),
  ], []);
});

Deno.test("V8 knows the flags that deno task compile gives to the binary", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const flags = (tasks.compile as string).split(" ").filter((word) => word.startsWith("--v8-flags="));
  assertEquals(flags.length, 1);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", ...flags, "0"],
    env: { NO_COLOR: "1" },
  }).output();
  // A flag that V8 does not know ends a program before its first line.
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("deno.json and deno.lock have the packages of the product and no other: deno task fetches all that they have", async () => {
  const product = new Set([
    ...(await loadedBy("main.ts", true)).packages,
    ...(await loadedBy("mod.ts", true)).packages,
  ]);
  const { imports, lock } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const named = Object.values(imports as Record<string, string>).flatMap((one) => NPM.exec(one)?.[1] ?? []);
  assertEquals(new Set(named), product);
  // Else the runs of single tests would add theirs to it.
  assertEquals(lock, false);
  const lockFile = await Deno.makeTempFile({ suffix: ".lock" });
  try {
    await Deno.copyFile(new URL("deno.lock", ROOT), lockFile);
    const entries = ["main.ts", "mod.ts"].map((entry) => new URL(entry, ROOT).pathname);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "--config", new URL("deno.json", ROOT).pathname, `--lock=${lockFile}`, "--frozen", ...entries],
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, `run deno cache --lock=deno.lock main.ts mod.ts\n${new TextDecoder().decode(stderr)}`);
    const { specifiers } = JSON.parse(await Deno.readTextFile(lockFile));
    const locked = Object.keys(specifiers).flatMap((one) => NPM.exec(one)?.[1] ?? []);
    assertEquals(new Set(locked), product);
  } finally {
    await Deno.remove(lockFile);
  }
});

Deno.test("lib/ imports packages by the import map, and what stands in tests, examples and bench has one version each", async () => {
  const versions = new Map<string, Set<string>>();
  for (const folder of ["lib", "tests", "examples", "bench"]) {
    for await (const path of sources(new URL(`${folder}/`, ROOT))) {
      for (const [, name, version] of (await Deno.readTextFile(path)).matchAll(INLINE)) {
        assert(folder !== "lib", `${path.pathname} imports npm:${name}`);
        const known = versions.get(name) ?? new Set();
        versions.set(name, known.add(version));
      }
    }
  }
  assert(versions.has("ws"));
  assertEquals([...versions].filter(([, all]) => all.size > 1), []);
});

const NPM = /^npm:\/?((?:@[^/]+\/)?[^@/]+)/;
const INLINE = /"npm:((?:@[^/"]+\/)?[^@/"]+)@([^/"]+)/g;

async function* sources(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (isFile && name.endsWith(".ts")) yield new URL(name, folder);
  }
}

Deno.test("a program in another folder needs one entry in its deno.json, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ imports: { "@bws/bws": new URL("mod.ts", ROOT).href } }),
    );
    await Deno.writeTextFile(
      `${folder}/app.ts`,
      `import { startServer } from "@bws/bws";
       const server = await startServer({ sites: [{ listen: "127.0.0.1", port: 0, static_dir: "." }] });
       const response = await fetch(\`http://127.0.0.1:\${server.addresses[0].port}/api/health/live\`);
       console.log(response.status, await response.json());
       await server.stop();`,
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "-A", "app.ts"],
      ...{ cwd: folder, env: { NO_COLOR: "1" } },
    }).output();
    const text = new TextDecoder();
    assertEquals([code, text.decode(stdout)], [0, '200 { status: "alive" }\n'], text.decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("The published package is without the demo, and bws demo says in one line where it is", async () => {
  const { publish } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assertEquals(publish.exclude, ["lib/demo"]);
  const folder = await Deno.makeTempDir();
  try {
    const kept = (publish.include as string[]).map((name) => new URL(name, ROOT).pathname);
    const copy = await new Deno.Command("cp", { args: ["-R", ...kept, folder] }).output();
    assert(copy.success);
    for (const name of publish.exclude) await Deno.remove(`${folder}/${name}`, { recursive: true });
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", "main.ts", "demo", "--port", "0"],
      ...{ cwd: folder, env: { NO_COLOR: "1" } },
    }).output();
    const text = new TextDecoder();
    assertEquals([code, text.decode(stdout), text.decode(stderr)], [
      1,
      "",
      "bws: The demo is not in the published package, but in the repository of BWS: run `deno task demo` there\n",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno task compile includes what is loaded by a name that is put together", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const included = [...tasks.compile.matchAll(/--include (\S+)/g)].map(([, path]) => path);
  assertEquals(included.sort(), [
    "lib/demo/demo.ts",
    "lib/features/basic_auth/password_worker.ts",
    "lib/generation/config/parse_worker.ts",
    "lib/log/gzip_worker.ts",
    "lib/process/worker_main.ts",
  ]);
  for (const path of included) assert((await Deno.stat(new URL(path, ROOT))).isFile);
});
