// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { fieldNameAt } from "../../lib/http1/field_name.ts";
import { FieldNameSet } from "../../lib/http1/field_name_set.ts";

function nameOf(text: string) {
  const bytes = new TextEncoder().encode(text);
  return fieldNameAt(bytes, 0, bytes.length);
}

Deno.test("FieldNameSet finds the names of heads as a Set finds their text, the first time and after it", () => {
  const names = ["via", "connection", "x-0", "x-250", `x-${"long".repeat(20)}`];
  const set = new FieldNameSet(names);
  const asked = [...names, "Via", "server", ...Array.from({ length: 300 }, (_, i) => `X-${i}`), "y".repeat(80)];
  for (let round = 0; round < 2; round++) {
    for (const text of asked) assertEquals(set.has(nameOf(text)), names.includes(text.toLowerCase()), text);
  }
  assertEquals([set.hasText("via"), set.hasText("server")], [true, false]);
});

Deno.test("fieldNameAt() numbers the names that it keeps, and no other", () => {
  const [one, other, long] = ["x-numbered-1", "x-numbered-2", "z".repeat(65)].map(nameOf);
  assertEquals([one.number === other.number, nameOf("x-numbered-1").number, long.number], [false, one.number, -1]);
});
