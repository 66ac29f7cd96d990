/**
 * Listings of BWS next to those of Caddy: files in the same order for the same query.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { createHandler } from "../../lib/process/create_handler.ts";
import { startServerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const FILES = { "d/b.txt": "xx", "d/a.txt": "xxx", "d/c.txt": "x" };
const TIMES = { "b.txt": "2024-03-01", "a.txt": "2024-02-01", "c.txt": "2024-01-01" };
const QUERIES = ["", "?sort=name&order=desc", "?sort=size&order=asc", "?sort=size&order=desc", "?sort=time&order=asc"];

/** The names of each listing. */
async function lists(get: (path: string, init: RequestInit) => Promise<Response>): Promise<string[]> {
  const got: string[] = [];
  for (const query of QUERIES) {
    const entries = await (await get(`/d/${query}`, { headers: { accept: "application/json" } })).json();
    got.push(entries.map(({ name }: { name: string }) => name).join(" "));
  }
  return got;
}

Deno.test("listings are sorted as Caddy sorts them", async () => {
  await inTemporaryFolder(FILES, async (folder) => {
    for (const [name, time] of Object.entries(TIMES)) {
      await Deno.utime(`${folder}/d/${name}`, new Date(time), new Date(time));
    }
    const handler = createHandler({ sites: [{ static_dir: folder, browse: true }] });
    const own = await lists(async (path, init) => await handler(new Request(`http://site.test${path}`, init)));
    await handler.close();
    assertEquals(own, [
      "a.txt b.txt c.txt",
      "c.txt b.txt a.txt",
      "c.txt b.txt a.txt",
      "a.txt b.txt c.txt",
      "c.txt a.txt b.txt",
    ]);
    const port = freePort();
    const config =
      `{\nadmin off\nauto_https off\n}\nhttp://127.0.0.1:${port} {\nroot * ${folder}\nfile_server browse\n}\n`;
    await Deno.writeTextFile(`${folder}/Caddyfile`, config);
    const args = ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
    await using caddy = await startServerProgram("caddy", args, port);
    if (caddy === undefined) return;
    assertEquals(await lists((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init)), own);
  });
});
