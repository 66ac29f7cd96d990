// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { findCookie } from "../../../lib/upstream/balancer/affinity_cookie.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";
import { quickestMs } from "../../support/quickest.ts";

const KNOWN = new Map([["abcd", 1], ["wxyz", 2]]);

function find(lines: string[], accept: (found: number) => boolean = () => true): number | undefined {
  return findCookie(lines, "to", KNOWN, 4, accept);
}

const FOUND: Record<string, string[]> = {
  "alone": ["cookie", "to=abcd"],
  "in any case of the field's name": ["Cookie", "to=abcd"],
  "among others": ["cookie", "a=1; to=abcd; b=2"],
  "at the end": ["cookie", "a=1; to=abcd"],
  "without spaces": ["cookie", "a=1;to=abcd;b=2"],
  "with odd spaces and tabs": ["cookie", "a=1 ;\t to \t=  abcd\t ; b"],
  "in quotes": ["cookie", 'a="1"; to="abcd"; b=2'],
  "on the second line": ["cookie", "a=1", "host", "x", "cookie", "to=abcd"],
  "on lines that were joined by a comma": ["cookie", "a=1, to=abcd, b=2"],
  "behind a duplicate that nobody knows": ["cookie", "to=none; to=; to; to=abcd"],
  "behind names that end or begin like it": ["cookie", "xto=wxyz; to2=wxyz; a-to=wxyz; tototo=wxyz; to=abcd"],
  "behind values that hold its name": ["cookie", "a=to=wxyz; b=to; to=abcd"],
  "between empty pairs": ["cookie", ";;; ; to=abcd;;"],
};

for (const [where, lines] of Object.entries(FOUND)) {
  Deno.test(`findCookie() finds a cookie ${where}`, () => assertStrictEquals(find(lines), 1));
}

Deno.test("findCookie() gives nothing for values that differ in the least, or stand elsewhere", () => {
  for (
    const value of [
      ...["to=abc", "to=abcde", "to=ABCD", 'to="abcd', 'to=abcd"', "to='abcd'", "to=ab cd", "to=abcd x", "To=abcd"],
      ...["to:abcd", "to", "to=", "=abcd", "abcd", "to==abcd", "to=%61bcd", 'to=""abcd""', "x to=abcd", ""],
    ]
  ) {
    assertStrictEquals(find(["cookie", value]), undefined, value);
  }
  assertStrictEquals(find(["cookie2", "to=abcd", "x-cookie", "to=abcd", "host", "to=abcd"]), undefined);
  assertStrictEquals(find([]), undefined);
});

Deno.test("findCookie() gives the first of several that the caller accepts", () => {
  const lines = ["cookie", "to=abcd; to=wxyz"];
  assertStrictEquals(find(lines), 1);
  assertStrictEquals(find(lines, (found) => found === 2), 2);
  assertStrictEquals(find(lines, () => false), undefined);
});

Deno.test("findCookie() agrees with a slow and simple reader on random lines", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const pieces = ["to", "=", ";", ",", " ", "\t", '"', "abcd", "wxyz", "x", "to=abcd", "; to=wxyz"];
  for (let i = 0; i < 50_000; i++) {
    const line = Array.from({ length: 1 + Math.floor(random() * 9) }, () => choose(random, pieces)).join("");
    const values = line.split(/[;,]/).flatMap((pair) =>
      /^[ \t]*to[ \t]*=[ \t]*("?)(.{4})\1[ \t]*$/.exec(pair)?.[2] ?? []
    );
    const expected = values.find((value) => KNOWN.has(value));
    const found = find(["cookie", line]);
    assertEquals(found, expected && KNOWN.get(expected), `BWS_TEST_SEED=${seed}: ${JSON.stringify(line)}`);
  }
});

Deno.test("findCookie() reads hostile lines in a time that grows with their length alone", () => {
  const shapes = ["to=xxxx;", "to", "to ", " ", ";", '"', "to=", "to=abcx;", "to\t=\t"];
  for (const shape of shapes) {
    const line = shape.repeat(1_000_000 / shape.length);
    // Were it quadratic, these million characters would take minutes
    const tookMs = quickestMs(2000, () => {
      for (let i = 0; i < 5; i++) find(["cookie", line]);
    });
    assertLess(tookMs, 2000, shape);
  }
});
