/**
 * `deno serve` of the package, from another folder.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../support/condition.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

function serve(cwd: string, env: Record<string, string> = {}): { child: Deno.ChildProcess; url: string } {
  const port = freePort();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "serve",
      "--no-check",
      "-A",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--config=${ROOT}deno.json`,
      `${ROOT}mod.ts`,
    ],
    ...{ cwd, env: { NO_COLOR: "1", ...env }, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  return { child, url: `http://127.0.0.1:${port}/` };
}

const FILES = {
  "index.html": "served",
  "config.toml": '[[sites]]\nstatic_dir = "."\n',
  "wrong.toml": '[[sites]]\nstatic_dri = "."\n',
};
const inFolder = (work: (folder: string) => Promise<void>) => inTemporaryFolder(FILES, work);

Deno.test("deno serve of mod.ts serves the config.toml of the folder that it is started in", async () => {
  await inFolder(async (folder) => {
    const { child, url } = serve(folder);
    let answer = "";
    try {
      await until("an answer", async () => {
        answer = await fetch(url).then((response) => response.text(), () => "");
        return answer !== "";
      }, 20_000);
    } finally {
      child.kill("SIGKILL");
      await child.output();
    }
    assertEquals(answer, "served");
  });
});

Deno.test("deno serve of mod.ts ends at once with 1 where the config is refused or is not there, and says why", async () => {
  await inFolder(async (folder) => {
    for (const [file, said] of [["wrong.toml", "wrong.toml:2:1: error: "], ["none.toml", "is not there"]]) {
      const { child } = serve(folder, { BWS_CONFIG: file });
      const { code, stderr } = await child.output();
      assertEquals(code, 1, file);
      assertStringIncludes(new TextDecoder().decode(stderr), said);
    }
  });
});
