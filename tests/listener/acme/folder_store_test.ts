/**
 * The store in a folder: who may read it, what is there after a failure, and locks between processes.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { FolderStore } from "../../../lib/listener/acme/folder_store.ts";
import { certificateStoreContract } from "../../contract/certificate_store_contract.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { someTurns } from "../../support/condition.ts";

certificateStoreContract("FolderStore", {
  place: async () => {
    const folder = await Deno.makeTempDir();
    return {
      open: () => new FolderStore(`${folder}/store`),
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
});

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
