// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { Certificates } from "../support/certificates.ts";
import { bws, BwsProcess } from "./bws_process.ts";

const SITE = `
[[sites]]
name = "files"
port = 0
static_dir = "www"
`;

const inFolder = (config: string, work: (folder: string) => Promise<void>) =>
  inTemporaryFolder({ "www/index.html": "<h1>A file</h1>", "config.toml": config }, work);

async function address(process: BwsProcess): Promise<string> {
  return (await process.until(/listening on (http:\S+)/))[1];
}

Deno.test("bws runs ./config.toml, says where, logs to standard output, and ends with 0 on SIGINT and on SIGTERM", async () => {
  await inFolder(SITE, async (cwd) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await using process = new BwsProcess([], { cwd });
      const url = await address(process);
      assertEquals(await (await fetch(url)).text(), "<h1>A file</h1>");
      process.signal(signal);
      const { code, stdout, stderr } = await process.ended();
      assertEquals(code, 0);
      assertMatch(stderr, /^bws [\d.]+ listening on http:\/\/localhost:\d+ \(1 site: files\)\n/);
      const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(lines.map(({ message, path }) => path ?? message), ["socket driver chosen", "/"]);
    }
  });
});

Deno.test("A second signal ends bws at once, with the exit code of that signal", async () => {
  const backend = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([1])) }),
    ));
  {
    await using process = new BwsProcess(["proxy", "--from", "127.0.0.1:0", "--to", `:${backend.addr.port}`]);
    const response = await fetch(await address(process));
    process.signal("SIGINT");
    await process.until(/bws stops: SIGINT/);
    process.signal("SIGTERM");
    assertEquals((await process.ended()).code, 143);
    await response.body?.cancel().catch(() => {});
  }
  await backend.shutdown();
});

Deno.test("bws ends with 1 when a port is in use, and says which and what to do", async () => {
  const taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = taken.addr;
  await inFolder(SITE.replace("port = 0", `port = ${port}\nlisten = "127.0.0.1"`), async (cwd) => {
    const { code, stderr } = await bws(["run"], { cwd });
    assertEquals(code, 1);
    assertStringIncludes(stderr, `127.0.0.1:${port}: the port is in use`);
    assertStringIncludes(stderr, "choose another");
  });
  taken.close();
});

Deno.test("bws refuses a config with 1 and with every problem, and prints warnings of one that runs", async () => {
  await inFolder(SITE + 'hostname = 5\nbrowse = "yes"\n', async (cwd) => {
    const { code, stderr, stdout } = await bws([], { cwd });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "config.toml:6:");
    assertStringIncludes(stderr, "config.toml:7:");
    assertStringIncludes(stderr, "The config is refused: 2 problems");
    assertFalse(stderr.includes("\x1b"));
  });
  await inFolder(SITE + "brwose = true\n", async (cwd) => {
    await using process = new BwsProcess(["run", "--lenient"], { cwd });
    await address(process);
    await process.until(/config\.toml:6:1: warning: .*browse/);
    await process.until(/"level":"warn","message":"config warning".*brwose/, "stdout");
  });
});

Deno.test("bws check says the same of relative paths, whatever folder it is started from", async () => {
  await inFolder(SITE, async (home) => {
    await Deno.mkdir(`${home}/elsewhere/www`, { recursive: true });
    const here = await bws(["check", "config.toml"], { cwd: home });
    assertEquals(here.code, 0);
    const above = await bws(["check", "../config.toml"], { cwd: `${home}/elsewhere` });
    assertEquals(above.code, 0);
    await Deno.remove(`${home}/www`, { recursive: true });
    const moved = await bws(["check", "../config.toml"], { cwd: `${home}/elsewhere` });
    assertEquals([moved.code, moved.stdout], [1, ""]);
    assertStringIncludes(moved.stderr, '(did you mean "elsewhere/www"?)');
  });
});

Deno.test("bws check shows what a config holds and where it would listen, and opens no port", async () => {
  const taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = taken.addr;
  await inFolder(SITE.replace("port = 0", `port = ${port}\nlisten = "127.0.0.1"`), async (cwd) => {
    const { code, stdout, stderr } = await bws(["check"], { cwd });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(
      stdout,
      `ok config.toml: 1 site, 0 routes, 0 upstreams\n   http://127.0.0.1:${port}  1 site: files\n`,
    );
  });
  taken.close();
});

Deno.test("bws check lists the management address, and opens it no more than the others", async () => {
  const taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = taken.addr;
  await inFolder(`[management]\nenabled = true\nport = ${port}\n${SITE}`, async (cwd) => {
    const { code, stdout, stderr } = await bws(["check"], { cwd });
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `   http://127.0.0.1:${port}  management\n`);
  });
  taken.close();
});

Deno.test("bws check and bws run refuse a log whose folder is not there, and name the line", async () => {
  await inFolder(`[logging]\noutput = "logs/bws.log"\n${SITE}`, async (cwd) => {
    for (const command of ["check", "run"]) {
      const { code, stdout, stderr } = await bws([command], { cwd });
      assertEquals([code, stdout], [1, ""], command);
      assertMatch(stderr, /^config\.toml:2:10: error: the folder ".*logs" of logging\.output is not there/);
    }
  });
});

Deno.test("bws check and bws run refuse unknown keys, which bws check --lenient only warns of", async () => {
  await inFolder(SITE + "brwose = true\n", async (cwd) => {
    for (const command of ["check", "run"]) {
      const refused = await bws([command], { cwd });
      assertEquals([refused.code, refused.stdout], [1, ""], command);
      assertStringIncludes(refused.stderr, 'did you mean "browse"?');
    }
    const lenient = await bws(["check", "--lenient"], { cwd });
    assertEquals(lenient.code, 0);
    assertStringIncludes(lenient.stdout, "1 warning");
    assertEquals((await bws(["check", "--lenient", "--strict"], { cwd })).code, 2);
  });
});

Deno.test("bws check --strict refuses what is only warned of without it", async () => {
  await inFolder(SITE + "[sites.proxy]\n", async (cwd) => {
    const plain = await bws(["check"], { cwd });
    assertEquals(plain.code, 0);
    assertStringIncludes(plain.stdout, "1 warning");
    const strict = await bws(["check", "--strict"], { cwd });
    assertEquals([strict.code, strict.stdout], [1, ""]);
    assertStringIncludes(strict.stderr, "the proxy has no routes");
  });
});

Deno.test("bws ends with 2 on a wrong command line, with usage on standard error", async () => {
  for (
    const args of [["chekc", "a"], ["--prot", "1"], ["proxy"], ["files", "--port", "x"], ["proxy", "--to", "ftp://a"]]
  ) {
    const { code, stdout, stderr } = await bws(args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, "Usage: bws ");
  }
});

Deno.test("bws --version, --help and schema print to standard output", async () => {
  assertMatch((await bws(["--version"])).stdout, /^bws \d+\.\d+\.\d+\n$/);
  const help = await bws(["check", "--help"]);
  assertStringIncludes(help.stdout, "bws check [CONFIG…]");
  assertEquals((await bws(["help", "demo"])).stdout, (await bws(["demo", "-h"])).stdout);
  const schema = JSON.parse((await bws(["schema"])).stdout);
  assert(schema.properties.sites !== undefined);
});

Deno.test("bws files serves a folder and lists it with --browse", async () => {
  await inFolder("", async (cwd) => {
    await using process = new BwsProcess(["files", cwd, "--browse", "-p", "0"]);
    const listing = await (await fetch(await address(process))).text();
    assertStringIncludes(listing, "www");
  });
});

Deno.test("bws proxy shares requests among its upstreams", async () => {
  const backends = ["a", "b"].map((name) =>
    Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => new Response(name))
  );
  const targets = backends.flatMap((
    { addr },
    index,
  ) => ["--to", `${index === 0 ? "http://127.0.0.1" : ""}:${addr.port}`]);
  {
    await using process = new BwsProcess(["proxy", "--from", "localhost:0", ...targets]);
    const url = await address(process);
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await (await fetch(url)).text());
    assertEquals(answers.toSorted(), ["a", "a", "b", "b"]);
  }
  await Promise.all(backends.map((backend) => backend.shutdown()));
});

Deno.test("Errors that nobody caught are logged, and the process goes on", async () => {
  const module = new URL("./stray_error_program.ts", import.meta.url).href;
  const { code, stdout } = await bws([], { module });
  assertEquals(code, 0);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ level, message }) => `${level}: ${message}`), [
    "error: Uncaught error",
    "error: Unhandled rejection",
  ]);
  assertStringIncludes(lines[0].cause, "thrown in a timer");
  assertStringIncludes(lines[1].cause, "rejected by a stream");
});

Deno.test("bws version and -v show the version, and -t checks the config", async () => {
  for (const args of [["version"], ["-v"], ["-V"], ["--version"]]) {
    const { code, stdout } = await bws(args);
    assertEquals([args, code, /^bws \d+\.\d+\.\d+\n$/.test(stdout)], [args, 0, true]);
  }
  await inFolder(SITE, async (cwd) => {
    const { code, stdout } = await bws(["-t", "config.toml"], { cwd });
    assertEquals([code, stdout], [0, (await bws(["check", "config.toml"], { cwd })).stdout]);
  });
});

Deno.test("check notes a route whose path the site's own endpoints share, once, and refuses nothing for it with --strict", async () => {
  const cwd = await Deno.makeTempDir();
  try {
    const config = (path: string, site = "") =>
      `[[sites]]\nname = "shop"\nport = 8080\n${site}[[sites.proxy.upstreams]]\nname = "app"\nurl = "http://127.0.0.1:3001"\n` +
      `[[sites.proxy.routes]]\npath = "${path}"\nupstream = "app"\n`;
    const note = 'site "shop" serves /api/health, /api/health/live, /api/health/ready, /api/config, /api/sites itself';
    const cases: [config: string, noted: boolean][] = [
      ...[[config("/api/"), true], [config("/"), false]] as [string, boolean][],
      [config("/api", "internal_api = false\n"), false],
    ];
    for (const [text, noted] of cases) {
      await Deno.writeTextFile(`${cwd}/config.toml`, text);
      const { code, stderr } = await bws(["check", "--strict"], { cwd });
      assertEquals([code, stderr.split(note).length - 1], [0, noted ? 1 : 0], text);
    }
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("bws check says which sites have HTTPS, and who issues their certificates", async () => {
  const config = `[[sites]]
name = "shop"
hostname = "shop.example.com"
hostnames = ["localhost"]
port = 443
static_dir = "www"
[[sites]]
name = "own"
port = 8443
tls = "internal"
hostname = "app.internal"
static_dir = "www"
`;
  await inFolder(config, async (cwd) => {
    const { code, stdout, stderr } = await bws(["check", "--strict", "config.toml"], { cwd });
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "   https://localhost:443  1 site: shop\n");
    assertStringIncludes(stdout, "   http://localhost:80  1 site: shop (http)\n");
    assertStringIncludes(
      stdout,
      '   site "shop": certificate by ACME for shop.example.com, certificate of the local authority for localhost ' +
        "(HTTPS by its host name on port 443)\n",
    );
    assertStringIncludes(stdout, '   site "own": certificate of the local authority for app.internal\n');
  });
});

Deno.test("The recipes of docs/https.md are accepted by bws check --strict", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/https.md", import.meta.url));
  const recipes = [...text.matchAll(/```toml\n([^]*?)```/g)].map(([, recipe]) => recipe);
  await using made = await Certificates.make("DNS:example.com,DNS:example.net");
  await inFolder("", async (cwd) => {
    for (
      const name of ["example.com", "example.net", "client", "internal-ca", "clients-ca"]
    ) {
      await Deno.copyFile(made.certFile, `${cwd}/${name}.pem`);
      await Deno.copyFile(made.keyFile, `${cwd}/${name}.key`);
    }
    const names: string[] = [];
    for (const [index, recipe] of recipes.entries()) {
      // Parts of a config are completed by a site.
      const upstreams = recipe.includes("[[sites.proxy.upstreams]]") && !recipe.includes("[[sites]]");
      const route = '\n[[sites.proxy.routes]]\npath = "/"\nupstream = "api"\n';
      const whole = upstreams
        ? `[[sites]]\n[sites.proxy]\n${recipe}${route}`
        : recipe.includes("[[sites]]")
        ? recipe.replace(/(port = 443\n)(?=\[sites\.tls\]\non_demand)/, '$1static_dir = "www"\n')
        : `${recipe}${SITE}`;
      await Deno.writeTextFile(`${cwd}/${index}.toml`, whole);
      names.push(`${index}.toml`);
    }
    assert(names.length >= 7, `${names.length} recipes`);
    const env = { ZEROSSL_KEY_ID: "id", ZEROSSL_HMAC_KEY: "a2V5", REDIS_PASSWORD: "secret" };
    const { code, stderr } = await bws(["check", "--strict", ...names], { cwd, env });
    assertEquals([code, stderr], [0, ""]);
  });
});
