// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { RequestIds } from "../../lib/http/request_id.ts";

Deno.test("RequestIds writes an id as its text, and no two are the same", () => {
  const ids = new RequestIds(new Uint8Array(9).fill(0xab));
  const seen = new Set<string>();
  const target = new Uint8Array(64);
  for (let i = 0; i < 50_000; i++) {
    const id = ids.next();
    const end = id.put(target, 3);
    const text = new TextDecoder().decode(target.subarray(3, end));
    assertEquals(text, id.text);
    assertEquals(text, `${"ab".repeat(9)}-${i.toString(36)}`);
    seen.add(text);
  }
  assertEquals(seen.size, 50_000);
});

Deno.test("RequestIds writes counts beyond 31 bits", () => {
  for (const count of [0x7fff_ffff, 0x8000_0000, Number.MAX_SAFE_INTEGER]) {
    const id = new RequestIds(new Uint8Array(9), count).next();
    const target = new Uint8Array(64);
    assertEquals(new TextDecoder().decode(target.subarray(0, id.put(target, 0))), id.text);
    assertEquals(id.text, `${"00".repeat(9)}-${count.toString(36)}`);
  }
});
