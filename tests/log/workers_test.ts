// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { oldFiles } from "../../lib/log/rotation.ts";
import { openLog } from "../../lib/process/open_log.ts";
import { startWorkers } from "../../lib/process/worker_server.ts";
import { until } from "../support/condition.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const REQUESTS = 300;

Deno.test("Workers write one file, which is rotated once at a time and has each line once", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const { config } = resolveConfig({
      logging: { output: `${folder}/main.log`, rotate: { size: 2000, keep: 0, compress: false } },
      sites: [{
        ...{ listen: "127.0.0.1", port: 0, respond: [{ path: "/*", status: 204 }] },
        access_log: { output: `${folder}/access.log`, format: "w3c", fields: ["path", "status"] },
      }],
    });
    const log = openLog(config.logging);
    const writeLog: Parameters<typeof startWorkers>[1]["writeLog"] = (bytes, name) => log.write(bytes, name);
    const server = await startWorkers(config, { workers: 2, log, writeLog });
    const { port } = server.addresses[0];
    const ask = async (from: number, to: number) => {
      await Promise.all(Array.from({ length: 10 }, async (_, first) => {
        for (let count = from + first; count < to; count += 10) {
          // Connections of their own go to either worker.
          const response = await fetch(`http://127.0.0.1:${port}/${count}`, { headers: { connection: "close" } });
          assertEquals(response.status, 204);
        }
      }));
    };
    await ask(0, REQUESTS / 2);
    const written = async () =>
      (await Promise.all((await logFiles(folder)).map((path) => Deno.readTextFile(path)))).join("");
    await until("the first half is written", async () => (await written()).split(" - 204\n").length > REQUESTS / 2);
    await ask(REQUESTS / 2, REQUESTS);
    await server.stop();
    await log.end();
    const paths = await logFiles(folder);
    assert(paths.length > 1, "it was rotated");
    const lines: string[] = [];
    for (const path of paths) {
      const text = await Deno.readTextFile(path);
      assert(text.startsWith("#Software: bws\n#Version: 1.0\n#Fields: cs-uri-stem cs-uri-query sc-status\n"), text);
      lines.push(...text.split("\n").filter((line) => line !== "" && !line.startsWith("#")));
    }
    assertEquals(lines.sort(), Array.from({ length: REQUESTS }, (_, count) => `/${count} - 204`).sort());
    assertEquals(log.losses.map(({ lost }) => lost), [0, 0]);
  });
});

async function logFiles(folder: string): Promise<string[]> {
  const path = `${folder}/access.log`;
  return [...(await oldFiles(path)).map((old) => old.path), path];
}
