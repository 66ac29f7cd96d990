// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertNotEquals } from "@std/assert";
import { applyMask, maskingKey } from "../../../lib/handlers/websocket/mask.ts";

Deno.test("applyMask() does what RFC 6455, section 5.3 says, at every alignment, length and offset", () => {
  const key = new Uint8Array([0x01, 0x80, 0xff, 0x3c]);
  for (let start = 0; start < 5; start++) {
    for (let length = 0; length < 20; length++) {
      for (let offset = 0; offset < 5; offset++) {
        const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7).subarray(start, start + length);
        const slow = [...bytes].map((byte, i) => byte ^ key[(offset + i) % 4]);
        applyMask(bytes, key, offset);
        assertEquals([...bytes], slow);
      }
    }
  }
});

Deno.test("maskingKey() gives another key each time, across refills of its source", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 3000; i++) seen.add(maskingKey().join());
  // Two of 3000 random keys are the same once in a thousand runs.
  assertEquals(seen.size >= 2999, true);
  assertNotEquals([...maskingKey()], [...maskingKey()]);
});
