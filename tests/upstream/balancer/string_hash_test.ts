// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess } from "@std/assert";
import { hashText, hashTextAgain, mix } from "../../../lib/upstream/balancer/string_hash.ts";
import { assertProportions } from "../../contract/policy_contract.ts";

const KEYS: Record<string, (i: number) => string> = {
  "numbers": (i) => String(i),
  "paths": (i) => `/products/${i}/picture.jpg`,
  "addresses": (i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  "long texts": (i) => `${"x".repeat(200)}${i}`,
  "single characters": (i) => String.fromCharCode(i & 255, (i >> 8) & 255),
};

for (const [what, key] of Object.entries(KEYS)) {
  Deno.test(`hashText() is even over ${what}, in its high and in its low bits`, () => {
    for (const hash of [hashText, hashTextAgain]) {
      for (const bits of [(h: number) => h >>> 24, (h: number) => h & 255]) {
        const counts = new Array<number>(256).fill(0);
        for (let i = 0; i < 64_000; i++) counts[bits(hash(key(i)))]++;
        assertProportions(counts, counts.map(() => 1));
      }
    }
  });
}

Deno.test("hashText() is FNV-1a, mixed, and so the same number on every machine and in every version", () => {
  assertEquals(hashText(""), mix(0x811c9dc5));
  assertEquals(hashText("a"), mix(0xe40c292c));
  assertEquals(hashText("foobar"), mix(0xbf9cf968));
  assertEquals(["", "a", "/index.html", "ÿ"].map((text) => hashText(text)), [
    3770332432,
    3993327588,
    4205599521,
    4028378083,
  ]);
});

Deno.test("mix() is one to one, and a change of one bit changes about half of the others", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100_000; i++) seen.add(mix(i));
  assertEquals(seen.size, 100_000);
  for (let bit = 0; bit < 32; bit++) {
    let changed = 0;
    for (let i = 0; i < 1000; i++) {
      for (let rest = mix(i * 7919) ^ mix((i * 7919) ^ (1 << bit)); rest !== 0; rest &= rest - 1) changed++;
    }
    assertLess(Math.abs(changed / 1000 - 16), 1, `bit ${bit}`);
  }
});

Deno.test("hashText() and hashTextAgain() do not collide together", () => {
  const first = new Map<number, string>();
  let collisions = 0;
  for (let i = 0; i < 300_000; i++) {
    const text = `http://${mix(i).toString(36)}.internal`;
    const other = first.get(hashText(text));
    if (other !== undefined) {
      collisions++;
      assert(hashTextAgain(other) !== hashTextAgain(text));
    }
    first.set(hashText(text), text);
  }
  // 300,000² / 2³³ is 10: the test has seen some, and not many
  assert(collisions > 0 && collisions < 40, `${collisions} collisions`);
});
