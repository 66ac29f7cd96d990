/**
 * What holds every store of certificates.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import type { CertificateStore } from "../../lib/listener/acme/certificate_store.ts";
import { someTurns } from "../support/condition.ts";

/** Makes stores of one place, as several processes have them. */
export interface StorePlace extends AsyncDisposable {
  open(): CertificateStore;
}

/** Options of {@linkcode certificateStoreContract}. */
export interface StoreContractOptions {
  readonly ignore?: boolean;
  readonly place: () => Promise<StorePlace>;
}

/** Holds stores to the contract. */
export function certificateStoreContract(name: string, { ignore = false, place }: StoreContractOptions): void {
  const test = (what: string, fn: (one: CertificateStore, other: CertificateStore) => Promise<void>) =>
    Deno.test({
      name: `${name} ${what}`,
      ignore,
      fn: async () => {
        await using opened = await place();
        const stores = [opened.open(), opened.open()] as const;
        try {
          await fn(...stores);
        } finally {
          for (const store of stores) store.close();
        }
      },
    });

  test("keeps values by key, for all that share it", async (one, other) => {
    assertEquals(await one.get("a/b.pem"), undefined);
    assertEquals(await one.list("a"), []);
    await one.put("a/b.pem", "one");
    await one.put("a/b.pem", "zwei ✓\r\n".repeat(2000));
    await other.put("a/c.pem", "");
    await other.put("a/d/e.pem", "below");
    assertEquals(await other.get("a/b.pem"), "zwei ✓\r\n".repeat(2000));
    assertEquals(await one.get("a/c.pem"), "");
    assertEquals(await other.list("a"), ["a/b.pem", "a/c.pem"]);
    await one.delete("a/b.pem");
    await one.delete("a/b.pem");
    assertEquals(await other.get("a/b.pem"), undefined);
    assertEquals(await other.list("a"), ["a/c.pem"]);
  });

  test("takes no key that leads out of it", async (one) => {
    for (const key of ["../a", "a/../../b", "/etc/passwd", "a//b", ".a", "a\0b", ""]) {
      await assertRejects(() => one.get(key), Error, "as a key of the store");
    }
  });

  test("gives one value or the other to those who read while it is written", async (one, other) => {
    const values = ["a".repeat(50_000), "b".repeat(70_000)];
    await one.put("k", values[0]);
    const writing = (async () => {
      for (let i = 1; i <= 20; i++) await one.put("k", values[i % 2]);
    })();
    for (let i = 0; i < 20; i++) assertEquals(values.includes(await other.get("k") ?? ""), true);
    await writing;
  });

  test("has a lock that is held by one at a time, and given up by a signal", async (one, other) => {
    const held = await one.lock("local/shop.test");
    let taken = false;
    const waiting = other.lock("local/shop.test").then((lock) => {
      taken = true;
      return lock;
    });
    await someTurns();
    assertEquals(taken, false);
    await (await other.lock("other.test"))[Symbol.asyncDispose]();
    const reason = new Error("given up");
    assertEquals(await assertRejects(() => other.lock("local/shop.test", AbortSignal.abort(reason))), reason);
    const ending = new AbortController();
    const given = assertRejects(() => other.lock("local/shop.test", ending.signal));
    await someTurns();
    ending.abort(reason);
    assertEquals(await given, reason);
    assertEquals(held.lost.aborted, false);
    await held[Symbol.asyncDispose]();
    await (await waiting)[Symbol.asyncDispose]();
  });

  test("tells what was written since, if it tells changes", async (one, other) => {
    if (one.changes === undefined) return;
    await one.put("a/b", "1");
    const { keys, mark } = await one.changes("a", undefined);
    assertEquals(keys, ["a/b"]);
    assertEquals((await one.changes("a", mark)).keys, []);
    await other.put("a/c", "2");
    await other.put("x/c", "2");
    await other.put("a/b", "3");
    const later = await one.changes("a", mark);
    assertEquals(later.keys.toSorted(), ["a/b", "a/c"]);
    assertEquals((await one.changes("a", later.mark)).keys, []);
    // A store that has lost what it had begins to count anew.
    assertEquals((await one.changes("a", later.mark + 100)).keys.toSorted(), ["a/b", "a/c"]);
  });
}
