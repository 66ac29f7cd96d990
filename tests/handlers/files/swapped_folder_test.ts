// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { entryByHandle, handlePathsReadable } from "../../../lib/handlers/files/entry_by_handle.ts";
import { entryByPath } from "../../../lib/handlers/files/entry_by_path.ts";
import { FileRoot } from "../../../lib/handlers/files/file_root.ts";
import { ask, openFiles, SECRET, SiteFolder } from "./site_folder.ts";

const LINUX = Deno.build.os === "linux";
const REQUESTS = 2000;

/** Runs `work` while another process swaps `one` and `other` without a pause. */
async function whileSwapped(one: string, other: string, work: () => Promise<void>): Promise<void> {
  const program = new URL("../../support/swap_program.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-lock", "--no-config", program, one, other],
    stdout: "piped",
  }).spawn();
  try {
    const reader = child.stdout.getReader();
    await reader.read(); // it has begun
    reader.releaseLock();
    await work();
  } finally {
    child.kill("SIGKILL");
    await child.stdout.cancel();
    await child.status;
  }
}

async function swappedSite(): Promise<SiteFolder> {
  const site = await SiteFolder.make({
    "f/x.txt": "inside",
    "f/index.html": "inside",
    "f/y.txt": "inside",
    "f/y.txt.gz": "inside",
    "f/plain.html": "inside",
    "list/inside.txt": "inside",
  });
  const outer = `${site.outside}/outer`;
  await Deno.mkdir(outer);
  for (const name of ["x.txt", "index.html", "y.txt", "y.txt.gz", "plain.html", "secret.txt"]) {
    await Deno.writeTextFile(`${outer}/${name}`, SECRET);
  }
  await Deno.symlink(outer, `${site.root}/link`);
  return site;
}

Deno.test({
  name: "a folder that is swapped for a link without a pause gives nothing from outside",
  ignore: !LINUX,
  async fn() {
    await using site = await swappedSite();
    const targets = ["/f/x.txt", "/f/", "/f/y.txt", "/f/plain"];
    const options = { hotCacheBytes: 0, try_files: ["$path", "$path.html", "$path/"] };
    for (const hotFileMaxBytes of [0, 65536]) {
      const files = site.serve({ ...options, hotFileMaxBytes });
      const seen = new Map<string, number>();
      await whileSwapped(`${site.root}/f`, `${site.root}/link`, async () => {
        let asked = 0;
        await Promise.all(Array.from({ length: 8 }, async () => {
          // Longer where the other program has had no turn, up to a bound.
          while (asked < REQUESTS || (seen.size < 2 && asked < 100 * REQUESTS)) {
            const target = targets[asked++ % targets.length];
            const method = asked % 5 === 0 ? "HEAD" : "GET";
            const answer = await ask(files, target, { method, headers: ["accept-encoding", "gzip"] });
            // The length tells one file from the other where there is no body.
            const what = answer.status === 200 ? answer.header("content-length") : String(answer.status);
            seen.set(what ?? "", (seen.get(what ?? "") ?? 0) + 1);
          }
        }));
      });
      const lengths = [...seen.keys()].sort();
      assertEquals(lengths.filter((what) => what !== "404"), [String("inside".length)], JSON.stringify([...seen]));
      assert(seen.has("404"), "the folder was never a link, so nothing was tried");
      assertEquals(openFiles(site), 0);
    }
  },
});

Deno.test({
  name: "a folder that is swapped for a link without a pause lists nothing from outside",
  ignore: !LINUX,
  async fn() {
    await using site = await swappedSite();
    const root = new FileRoot(site.root);
    const seen = new Set<string>();
    await whileSwapped(`${site.root}/list`, `${site.root}/link`, async () => {
      for (let i = 0; i < REQUESTS / 4 || (seen.size === 0 && i < 100 * REQUESTS); i++) {
        const found = await root.find("/list/");
        if (found?.kind !== "folder") continue;
        for (const name of await root.names(found, { wanted: () => true, max: 100 })) seen.add(name);
      }
    });
    assertEquals([...seen], ["inside.txt"]);
  },
});

Deno.test("both ways to look a path up say and give the same", async () => {
  await using site = await SiteFolder.make({ "f/a.txt": "inside" });
  const linked = Deno.build.os !== "windows";
  if (linked) await Deno.symlink("f", `${site.root}/l`);
  for (const lookUp of handlePathsReadable() ? [entryByHandle, entryByPath] : [entryByPath]) {
    for (const path of linked ? ["/f/a.txt", "/l/a.txt"] : ["/f/a.txt"]) {
      using entry = await lookUp(site.root + path);
      assertEquals(entry.realPath, await Deno.realPath(`${site.root}/f/a.txt`));
      assertEquals([entry.info.isFile, entry.info.size], [true, 6]);
      using file = await entry.open();
      const buffer = new Uint8Array(10);
      const count = await file?.read(buffer, 0) ?? 0;
      assertEquals(new TextDecoder().decode(buffer.subarray(0, count)), "inside");
      assertEquals([await file?.read(buffer, 4), await file?.read(buffer, 6)], [2, 0]);
    }
    using folder = await lookUp(`${site.root}/f`);
    const names: string[] = [];
    for await (const name of folder.names()) names.push(name);
    assertEquals(names, ["a.txt"]);
    const root = new FileRoot(site.root, { lookUp });
    for (const missing of ["/x", "/f/a.txt/", "/f/a.txt/x", `/${"a".repeat(300)}`]) {
      assertEquals(await root.find(missing), undefined, missing.slice(0, 20));
    }
  }
  assertEquals(openFiles(site), 0);
});

Deno.test("handles give paths where this system knows what a handle has opened", { ignore: !LINUX }, () => {
  assert(handlePathsReadable());
});
