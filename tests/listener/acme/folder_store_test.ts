/**
 * The store in a folder: who may read it, what is there after a failure, and locks between processes.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { FolderStore } from "../../../lib/listener/acme/folder_store.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { someTurns } from "../../support/condition.ts";

Deno.test("FolderStore keeps values by key, which only its user can read", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const store = new FolderStore(`${folder}/new`);
    assertEquals(await store.get("a/b.pem"), undefined);
    assertEquals(await store.list("a"), []);
    await store.put("a/b.pem", "one");
    await store.put("a/b.pem", "two");
    await store.put("a/c.pem", "three");
    assertEquals(await store.get("a/b.pem"), "two");
    assertEquals(await store.list("a"), ["a/b.pem", "a/c.pem"]);
    if (Deno.build.os !== "windows") {
      for (const [path, mode] of [["", 0o700], ["/a", 0o700], ["/a/b.pem", 0o600]] as const) {
        assertEquals(((await Deno.stat(`${folder}/new${path}`)).mode ?? 0) & 0o777, mode, path);
      }
    }
    await store.delete("a/b.pem");
    await store.delete("a/b.pem");
    assertEquals(await store.list("a"), ["a/c.pem"]);
  });
});

Deno.test("FolderStore takes no key that leads out of the folder", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const store = new FolderStore(folder);
    for (const key of ["../a", "a/../../b", "/etc/passwd", "a//b", ".a", "a\0b", ""]) {
      await assertRejects(() => store.get(key), Error, "as a key of the store");
    }
  });
});

Deno.test("FolderStore.put() leaves the value before in place when it fails, and nothing beside it", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const store = new FolderStore(folder);
    await store.put("a", "whole");
    // A folder cannot be replaced by a file.
    await Deno.mkdir(`${folder}/b`);
    await assertRejects(() => store.put("b", "text"));
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort(), ["a", "b"]);
    assertEquals(await store.get("a"), "whole");
  });
});

Deno.test("FolderStore.lock() is held by one at a time, and given up by a signal", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const [one, other] = [new FolderStore(folder), new FolderStore(folder)];
    const held = await one.lock("shop.test");
    let taken = false;
    const waiting = other.lock("shop.test").then((lock) => {
      taken = true;
      return lock;
    });
    await someTurns();
    assertEquals(taken, false);
    await (await other.lock("other.test"))[Symbol.asyncDispose]();
    const reason = new Error("given up");
    const error = await assertRejects(() => other.lock("shop.test", AbortSignal.abort(reason)));
    assertEquals(error, reason);
    await held[Symbol.asyncDispose]();
    await (await waiting)[Symbol.asyncDispose]();
  });
});

Deno.test("FolderStore.lock() is free once the process that held it was killed", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const module = new URL("../../../lib/listener/acme/folder_store.ts", import.meta.url);
    const config = new URL("../../../deno.json", import.meta.url);
    await Deno.writeTextFile(
      `${folder}/hold.ts`,
      `import { FolderStore } from ${JSON.stringify(module.href)};
       await new FolderStore(${JSON.stringify(folder)}).lock("shop.test");
       console.log("held");
       await new Promise(() => setInterval(() => {}, 1000));`,
    );
    const args = ["run", "-A", "--no-check", "--config", config.pathname, `${folder}/hold.ts`];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "inherit" })
      .spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const store = new FolderStore(folder);
    let taken = false;
    const waiting = store.lock("shop.test").then((lock) => {
      taken = true;
      return lock;
    });
    await someTurns();
    assertEquals(taken, false);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await (await waiting)[Symbol.asyncDispose]();
  });
});
