// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { keep, type Ownership, release, stillHeld } from "../../lib/http/body.ts";

const BYTES = 64 * 1024;

Deno.test("keep() copies a piece that is lent, and no other", () => {
  const bytes = new Uint8Array(BYTES);
  assertNotStrictEquals(keep(bytes, "lent").buffer, bytes.buffer);
  assertStrictEquals(keep(bytes, "shared"), bytes);
  assertStrictEquals(keep(bytes, "given"), bytes);
});

Deno.test("a piece of which something is kept is not passed on as given", () => {
  assertEquals((["lent", "shared", "given"] as Ownership[]).map(stillHeld), ["lent", "shared", "shared"]);
});

Deno.test("release() empties only what was given", () => {
  const lengths = (["lent", "shared", "given"] as Ownership[]).map((ownership) => {
    const bytes = new Uint8Array(BYTES);
    release(bytes, ownership);
    return bytes.length;
  });
  assertEquals(lengths, [BYTES, BYTES, 0]);
});
