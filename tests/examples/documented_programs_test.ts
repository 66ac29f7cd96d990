/**
 * Programs and commands of the documentation do what the pages say.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater } from "@std/assert";
import { readArguments } from "../../lib/cli/arguments.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { startServer } from "../../lib/process/server.ts";
import { managedConfig, NamedUpstream, RunningManagement } from "../admin/running_management.ts";
import { BwsProcess } from "../cli/bws_process.ts";
import { blocksOf, pagesOfDocumentation } from "../support/documented_config.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url);

const shell = (await Promise.all((await pagesOfDocumentation()).map((page) => blocksOf(page, "sh")))).flat();

async function only(page: string, language: string): Promise<string> {
  const blocks = await blocksOf(page, language);
  assertEquals(blocks.length, 1, `${page} has one block of ${language}`);
  return blocks[0].text;
}

/** The words of a line, without quotes, and without the comment and a redirection at its end. */
function words(line: string): string[] {
  const found = line.matchAll(/'([^']*)'|\S+/g);
  const all = [...found].map(({ 0: word, 1: quoted }) => quoted ?? word);
  const end = all.findIndex((word) => /^(?:#|>|&&)/.test(word));
  return end === -1 ? all : all.slice(0, end);
}

Deno.test("Commands of bws in the documentation have commands and flags that there are", () => {
  let commands = 0;
  for (const { page, line, text } of shell) {
    for (const command of text.split("\n")) {
      const args = /^(?:bws|deno run -A main\.ts)(?: |$)(.*)/.exec(command)?.[1];
      if (args === undefined) continue;
      commands++;
      try {
        readArguments(words(args), { fileExists: () => true });
      } catch (error) {
        throw new Error(`${page}:${line}: ${command}`, { cause: error });
      }
    }
  }
  assertGreater(commands, 10);
});

Deno.test("Tasks in the documentation are tasks of deno.json", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const named = shell.flatMap(({ text }) =>
    [...text.matchAll(/\bdeno(?:@[\d.]+)? task ([\w:]+)/g)].map(([, name]) => name)
  );
  assertGreater(named.length, 2);
  for (const name of named) assert(Object.hasOwn(tasks, name), name);
});

Deno.test("The program of README.md proxies", async () => {
  await using upstream = new NamedUpstream("the app");
  const text = (await only("README.md", "ts")).replace("http://127.0.0.1:3000", upstream.url);
  await inTemporaryFolder({ "program.ts": text }, async (folder) => {
    const env = { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" };
    await using program = new BwsProcess([], { module: `${folder}/program.ts`, env });
    const [, port] = await program.until(/Listening on http:\/\/\S+?:(\d+)\//);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals([response.status, await response.text()], [200, "the app"]);
  });
});

Deno.test("The middleware of docs/operations.md refuses what it says, and passes the rest on", async () => {
  await using upstream = new NamedUpstream("the app");
  await inTemporaryFolder({ "middleware.ts": await only("docs/operations.md", "ts") }, async (folder) => {
    const { config } = resolveConfig({
      server: { middleware: "middleware.ts" },
      sites: [{
        ...{ listen: "127.0.0.1", port: 0 },
        proxy: {
          upstreams: [{ name: "app", url: upstream.url }],
          routes: [{ path: "/", upstream: "app" }],
        },
      }],
    }, { baseDir: folder });
    const server = await startServer(config);
    try {
      const told: string[] = [];
      for (const path of ["/private/a", "/"]) {
        const response = await fetch(`http://127.0.0.1:${server.addresses[0].port}${path}`);
        told.push(`${response.status} ${await response.text()}`);
      }
      assertEquals(told, ["401 Private", "200 the app"]);
    } finally {
      await server.stop();
    }
  });
});

Deno.test("The calls of the management API in docs/operations.md succeed", async () => {
  const calls = shell.filter(({ page, text }) => page === "docs/operations.md" && text.includes("curl"));
  assertGreater(calls.length, 2);
  await using upstream = new NamedUpstream("a");
  await using other = new NamedUpstream("b");
  const upstreams = [upstream.url, other.url];
  await inTemporaryFolder({ "config.toml": "[[sites]]\nstatic_dir = '.'\n" }, async (folder) => {
    const config = managedConfig({ upstreams });
    const load = () => Promise.resolve({ config, warnings: [] as [] });
    await using running = await RunningManagement.start({ upstreams, load, file: "config.toml" });
    const id = await running.idOf(upstream.url);
    const address = `http://${running.host}`;
    for (const { line, text } of calls) {
      const lines = text.split("\n").filter((command) => command.startsWith("curl")).join("\n")
        .replaceAll("$M", address).replaceAll("http://127.0.0.1:7654", address).replace("/ID", `/${id}`);
      const { stdout } = await new Deno.Command("bash", {
        args: ["-c", `curl() { command curl -s -o /dev/null -w '%{http_code} ' "$@"; }\n${lines}`],
        cwd: folder,
      }).output();
      const statuses = new TextDecoder().decode(stdout).trim().split(" ");
      assertEquals(statuses.filter((status) => !/^2\d\d$/.test(status)), [], `docs/operations.md:${line}: ${statuses}`);
    }
  });
});
