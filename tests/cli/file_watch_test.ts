// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { watchFile } from "../../lib/cli/file_watch.ts";
import { within } from "../support/condition.ts";

/** How often the file is looked at in these tests. */
const LOOK_MS = 20;

/** A folder with a watch over a file in it, or behind a link in it. */
class WatchedFolder implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync();
  changes = 0;
  #changed = Promise.withResolvers<void>();
  #watch: { close(): void } | undefined;

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(this.path(name), text);
  }

  watch(name: string): void {
    this.#watch = watchFile(this.path(name), () => {
      this.changes++;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }, LOOK_MS);
  }

  change(): Promise<void> {
    return within(15_000, "the change is noticed", this.#changed.promise);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("watchFile() notices a file that is written in place, and one that another takes the place of", async () => {
  await using files = new WatchedFolder();
  files.write("a.toml", "one");
  files.watch("a.toml");
  let change = files.change();
  files.write("a.toml", "two");
  await change;
  change = files.change();
  files.write("b.toml", "three");
  await Deno.rename(files.path("b.toml"), files.path("a.toml"));
  await change;
  assertEquals(files.changes, 2);
});

Deno.test("watchFile() notices that the target of a link into another folder is written in place", async () => {
  await using files = new WatchedFolder();
  await Deno.mkdir(files.path("here"));
  await Deno.mkdir(files.path("there"));
  files.write("there/real.toml", "one");
  await Deno.symlink("../there/real.toml", files.path("here/a.toml"));
  files.watch("here/a.toml");
  const change = files.change();
  files.write("there/real.toml", "two");
  await change;
});

Deno.test("watchFile() notices a link to a folder that is set anew, as Kubernetes does it", async () => {
  await using files = new WatchedFolder();
  for (const [folder, text] of [["..1", "one"], ["..2", "two"]]) {
    await Deno.mkdir(files.path(folder));
    files.write(`${folder}/a.toml`, text);
  }
  await Deno.symlink("..1", files.path("..data"));
  await Deno.symlink("..data/a.toml", files.path("a.toml"));
  files.watch("a.toml");
  const change = files.change();
  await Deno.symlink("..2", files.path("..data_tmp"));
  await Deno.rename(files.path("..data_tmp"), files.path("..data"));
  await change;
});

Deno.test("watchFile() notices new content of the same size under an old time", async () => {
  await using files = new WatchedFolder();
  files.write("a.toml", "one");
  const { mtime } = await Deno.stat(files.path("a.toml"));
  files.watch("a.toml");
  const change = files.change();
  files.write("a.toml", "two");
  await Deno.utime(files.path("a.toml"), mtime as Date, mtime as Date);
  await change;
});

Deno.test("watchFile() does not report a file that was written without a change, and then reports a change", async () => {
  await using files = new WatchedFolder();
  files.write("a.toml", "one");
  files.watch("a.toml");
  files.write("a.toml", "one");
  await Deno.utime(files.path("a.toml"), new Date(), new Date());
  const change = files.change();
  files.write("a.toml", "two");
  await change;
  assertEquals(files.changes, 1);
});

Deno.test("watchFile() waits for a file that is gone for a moment", async () => {
  await using files = new WatchedFolder();
  files.write("a.toml", "one");
  files.watch("a.toml");
  await Deno.remove(files.path("a.toml"));
  const change = files.change();
  files.write("a.toml", "two");
  await change;
  assertEquals(files.changes, 1);
});
