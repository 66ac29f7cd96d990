// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../lib/cli/command.ts";
import { findProject } from "../../lib/cli/init/found_project.ts";
import { type InitAnswers, readUpstreams, usualPort } from "../../lib/cli/init/init_answers.ts";
import { initText } from "../../lib/cli/init/init_text.ts";
import { askAll, InputEnded, type KnownAnswers } from "../../lib/cli/init/questions.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { bws, BwsProcess } from "./bws_process.ts";
import { hasTerminal, typeAnswers } from "./pseudo_terminal.ts";

Deno.test("findProject() knows what usually stands in a folder", async () => {
  const folders: [files: Record<string, string>, found: unknown][] = [
    [{}, undefined],
    [{ "README.md": "" }, undefined],
    [{ "index.html": "" }, { what: "index.html", root: "." }],
    [{ "public/index.html": "" }, { what: "files in public/", root: "public", singlePage: false }],
    [{ "package.json": `{"dependencies":{"next":"15"}}`, "public/index.html": "" }, {
      ...{ what: "Next.js (package.json)", upstream: "http://127.0.0.1:3000" },
    }],
    [{ "package.json": `{"scripts":{"start":"next start -p 4000"}}` }, {
      ...{ what: "Next.js (package.json)", upstream: "http://127.0.0.1:4000" },
    }],
    [{ "package.json": `{"devDependencies":{"vite":"8"}}` }, {
      ...{ what: "Vite's development server (package.json)", upstream: "http://127.0.0.1:5173" },
    }],
    [{ "package.json": `{"devDependencies":{"vite":"8"}}`, "dist/index.html": "" }, {
      ...{ what: "what Vite has built in dist/", root: "dist", singlePage: true },
    }],
    [{ "package.json": `{"dependencies":{"express":"5"}}`, "dist/index.html": "" }, {
      ...{ what: "Express (package.json), and files in dist/", root: "dist", upstream: "http://127.0.0.1:3000" },
    }],
    [{ "package.json": "{" }, undefined],
    [{ "package.json": "[1]" }, undefined],
    [{ "manage.py": "" }, { what: "Django (manage.py)", upstream: "http://127.0.0.1:8000" }],
    [{ "pyproject.toml": `dependencies = ["FastAPI>=0.100"]` }, {
      ...{ what: "FastAPI (pyproject.toml)", upstream: "http://127.0.0.1:8000" },
    }],
    [{ "requirements.txt": "uvicorn==0.30\n" }, {
      ...{ what: "uvicorn (requirements.txt)", upstream: "http://127.0.0.1:8000" },
    }],
    [{ "requirements.txt": "not-flask\n" }, undefined],
    [{ "deno.json": "{}" }, { what: "a Deno application (deno.json)", upstream: "http://127.0.0.1:8000" }],
    [{ "index.php": "" }, { what: "PHP (index.php)", upstream: "http://127.0.0.1:8000" }],
  ];
  for (const [files, found] of folders) {
    await inTemporaryFolder(files, async (folder) => assertEquals(await findProject(folder), found as undefined));
  }
});

const ANSWERS: InitAnswers = {
  ...{ root: undefined, singlePage: false, upstreams: [], paths: ["/"], health: undefined, hostname: undefined },
  ...{ port: 8080, dashboard: false },
};

Deno.test("initText() writes what a start accepts without a warning, also where its commented keys are used", () => {
  const upstreams = ["http://127.0.0.1:3000", "http://127.0.0.1:3001"];
  const all: Partial<InitAnswers>[] = [
    { root: "." },
    { root: ".", singlePage: true, hostname: "bücher.example", port: 443 },
    { upstreams: upstreams.slice(1) },
    { upstreams, health: "/health", dashboard: true, hostname: "localhost", port: 443 },
    { root: ".", upstreams, paths: ["/"] },
    { root: ".", upstreams, paths: ["/api/", "/admin"], singlePage: true },
  ];
  for (const answers of all) {
    const text = initText({ ...ANSWERS, ...answers });
    for (const used of [text, text.replaceAll(/^# (?=\[|[a-z_]+ = )/gm, "")]) {
      const { problems, warnings } = parseConfig(used, { baseDir: "/" });
      assertEquals([...problems, ...warnings].map(({ message }) => message), [], used);
    }
  }
});

async function asked(lines: string[], known: KnownAnswers = {}): Promise<{ answers: InitAnswers; shown: string[] }> {
  const shown: string[] = [];
  const answers = await askAll(known, { what: "files in dist/", root: ".", upstream: "http://127.0.0.1:4000" }, {
    say: (text) => shown.push(text),
    line: (prompt) => {
      shown.push(prompt);
      return Promise.resolve(lines.shift());
    },
  });
  assertEquals(lines, []);
  return { answers, shown };
}

Deno.test("askAll() proposes what was found, and asks again with the reason", async () => {
  assertEquals((await asked(["", "", "", "", "", "", "", ""])).answers, {
    ...{ root: ".", singlePage: false, upstreams: ["http://127.0.0.1:4000"], paths: ["/api/"], health: undefined },
    ...{ hostname: undefined, port: 8080, dashboard: false },
  });
  const wrong = [
    ...["neither", "2", "ftp://x", "/x", ":3000, other:3001", "health", "/health", "http://foo", "foo.example.com"],
    ...["70000", "3000", "", "perhaps", "y"],
  ];
  const { answers, shown } = await asked(wrong);
  assertEquals(answers, {
    ...{ root: undefined, singlePage: false, upstreams: ["http://127.0.0.1:3000", "http://other:3001"] },
    ...{ paths: ["/"], health: "/health", hostname: "foo.example.com", port: 443, dashboard: true },
  });
  for (
    const reason of [
      ...[`"neither" is none of them`, `begins with http://`, `begins with "/"`, `did you mean "foo"?`],
      ...[`"70000" is no port`, "this server itself", `"perhaps" is neither yes nor no`],
    ]
  ) {
    assertStringIncludes(shown.join("\n"), reason);
  }
});

Deno.test("askAll() asks only what no flag says", async () => {
  const { answers } = await asked(["", ""], {
    ...{ upstreams: readUpstreams("3000"), hostname: "a.example.com", health: undefined },
  });
  assertEquals([answers.root, answers.port, answers.dashboard], [undefined, 443, false]);
  await assertRejects(() => asked(["app"]), InputEnded, "nothing is written");
  await assertRejects(() => askAll({ upstreams: ["http://127.0.0.1:8080"] }, undefined, undefined), UsageError);
});

Deno.test("usualPort() is 443 for names that an authority can certify", () => {
  const names = ["example.com", "a.b.example", "localhost", "app.localhost", "192.0.2.1", "[::1]", "nas.local"];
  assertEquals(names.map(usualPort), [443, 443, 8080, 8080, 8080, 8080, 8080]);
});

Deno.test("bws init writes by flags what bws runs at once, keeps a file that is there, and says why it refuses", async () => {
  await inTemporaryFolder({ "index.html": "It is served" }, async (folder) => {
    const cwd = { cwd: folder };
    const port = freePort();
    const flags = ["init", "--root", ".", "--port", String(port), "--hostname", "localhost"];
    const done = await bws(flags, cwd);
    assertEquals([done.code, done.stderr], [0, ""]);
    assertMatch(done.stdout, new RegExp(`^Wrote config\\.toml: http://localhost:${port} serves .*\nNext: {2}bws\n$`));
    const [again, unasked, wrong, without, checked] = await Promise.all([
      bws(flags, cwd),
      bws(["init", "--output", "b.toml"], cwd),
      bws(["init", "--output", "b.toml", "--root", "none"], cwd),
      bws(["init", "b.toml", "--root", ".", "--health", "/health"], cwd),
      bws(["check", "--strict"], cwd),
    ]);
    assertEquals([again, unasked, wrong, without, checked].map(({ code }) => code), [2, 2, 2, 2, 0]);
    assertStringIncludes(again.stderr, "config.toml is there already");
    assertStringIncludes(unasked.stderr, "--upstream or --root, or --yes");
    assertStringIncludes(without.stderr, "--health is of an application");
    assertStringIncludes(wrong.stderr, `The folder "none" is not there`);
    await using server = new BwsProcess([], cwd);
    await server.until(/listening on/);
    assertEquals(await (await fetch(`http://localhost:${port}/`)).text(), "It is served");
    const [config, missing] = await Promise.all(["config.toml", "b.toml"].map(async (name) => {
      const response = await fetch(`http://localhost:${port}/${name}`);
      return [response.status, (await response.text()).replace(/"(timestamp|request_id)":"[^"]*"/g, "")];
    }));
    assertEquals([config[0], config], [404, missing]);
    assertEquals(await namesIn(folder), ["config.toml", "index.html"]);
  });
});

Deno.test("bws init asks on a terminal, and leaves nothing when Ctrl-C ends it", async () => {
  if (!await hasTerminal()) return say("skipped: there is no script of util-linux on this machine");
  await inTemporaryFolder({ "manage.py": "" }, async (folder) => {
    await Deno.mkdir(`${folder}/conf`);
    const left = typeAnswers(["init", "--output", "left.toml"], ["", "\x03"], folder);
    const shown = await typeAnswers(["init", "-o", "conf/a.toml"], ["app", "", "/x", "bad host", "", "", ""], folder);
    assertStringIncludes(shown, "In this folder: Django (manage.py)");
    assertMatch(
      shown,
      /Wrote conf\/a.toml: http:\/\/localhost:8080 serves http:\/\/127.0.0.1:8000\nNext: {2}bws conf\/a/,
    );
    assertStringIncludes(await Deno.readTextFile(`${folder}/conf/a.toml`), '\npath = "/x"\n');
    assert(!(await left).includes("Wrote"), await left);
    assertEquals(await namesIn(folder), ["conf", "manage.py"]);
  });
});

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).toSorted();
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
