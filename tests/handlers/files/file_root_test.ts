// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertStrictEquals } from "@std/assert";
import { FileRoot } from "../../../lib/handlers/files/file_root.ts";
import { ask, openFiles, SECRET, SiteFolder } from "./site_folder.ts";

const POSIX = Deno.build.os !== "windows";

Deno.test("FileRoot.find() distinguishes files, folders and nothing", async () => {
  await using site = await SiteFolder.make({ "f/a.txt": "abc" });
  const root = new FileRoot(`${site.root}/`);
  const file = await root.find("/f/a.txt");
  assert(file?.kind === "file");
  assertStrictEquals(file.stamp.sizeBytes, 3);
  assertStrictEquals((await root.find("/f"))?.kind, "folder");
  assertStrictEquals((await root.find("/"))?.kind, "folder");
  for (const path of ["/x", "/f/a.txt/", "/f/a.txt/x", `/${"a".repeat(300)}`, `/${"a/".repeat(2000)}`]) {
    assertStrictEquals(await root.find(path), undefined, path.slice(0, 20));
  }
});

Deno.test({
  name: "FileRoot.find() never finds the hidden file, by whatever link",
  ignore: !POSIX,
  async fn() {
    await using site = await SiteFolder.make({ "f/config.toml": "secret", "f/other.toml": "other" });
    await Deno.symlink("config.toml", `${site.root}/f/link.toml`);
    await Deno.symlink(`${site.root}/f/config.toml`, `${site.outside}/config.toml`);
    for (
      const hiddenFile of [`${site.root}/f/config.toml`, `${site.root}/f/link.toml`, `${site.outside}/config.toml`]
    ) {
      const root = new FileRoot(site.root, { hiddenFile, follow_symlinks: true });
      for (const path of ["/f/config.toml", "/f/link.toml"]) assertStrictEquals(await root.find(path), undefined, path);
      assertStrictEquals((await root.find("/f/other.toml"))?.kind, "file");
    }
    const gone = new FileRoot(site.root, { hiddenFile: `${site.root}/gone.toml` });
    assertStrictEquals((await gone.find("/f/config.toml"))?.kind, "file");
  },
});

Deno.test({
  name: "FileRoot.open() refuses what was put in the place of a file after it was found",
  ignore: !POSIX,
  async fn() {
    for (const swap of ["folder link", "file link", "other file", "folder", "nothing"]) {
      await using site = await SiteFolder.make({ "f/secret.txt": "inside", "other.txt": "other" });
      const { root: path, outside } = site;
      const root = new FileRoot(path);
      const found = await root.find("/f/secret.txt");
      assert(found?.kind === "file");
      if (swap === "folder link") {
        await Deno.rename(`${path}/f`, `${path}/g`);
        await Deno.symlink(outside, `${path}/f`);
      } else {
        await Deno.remove(`${path}/f/secret.txt`);
        if (swap === "file link") await Deno.symlink("../../secret.txt", `${path}/f/secret.txt`);
        if (swap === "other file") await Deno.rename(`${path}/other.txt`, `${path}/f/secret.txt`);
        if (swap === "folder") await Deno.mkdir(`${path}/f/secret.txt`);
      }
      const opened = await root.open(found);
      // A new file of that name is as good as the old one: whoever asked compares the stamps.
      assertStrictEquals(opened !== undefined, swap === "other file", swap);
      opened?.release();
      assertStrictEquals(openFiles(site), 0);
    }
  },
});

Deno.test({
  name: "a large file is not streamed from outside when its folder became a link within the 250 ms of its page",
  ignore: !POSIX,
  async fn() {
    await using site = await SiteFolder.make({ "f/secret.txt": "inside" });
    const files = site.serve({ hotFileMaxBytes: 0, nowMs: () => Date.UTC(2026, 0, 1) });
    assertStrictEquals((await ask(files, "/f/secret.txt")).text, "inside");
    await Deno.rename(`${site.root}/f`, `${site.root}/g`);
    await Deno.symlink("..", `${site.root}/f`);
    const { status, text } = await ask(files, "/f/secret.txt");
    assert(status === 404 && text !== SECRET);
  },
});
