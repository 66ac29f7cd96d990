// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type ByteSpan, MAX_RANGES, readRanges } from "../../../lib/handlers/files/byte_ranges.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

function spans(value: string, sizeBytes = 100): string {
  const ranges = readRanges(value, sizeBytes);
  return typeof ranges === "string" ? ranges : ranges.map((r) => `${r.startByte}..${r.endByte}`).join(" ");
}

Deno.test("readRanges() reads closed, open and suffix ranges", () => {
  assertStrictEquals(spans("bytes=0-0"), "0..1");
  assertStrictEquals(spans("Bytes= 10-19 "), "10..20");
  assertStrictEquals(spans("bytes=90-"), "90..100");
  assertStrictEquals(spans("bytes=90-1000"), "90..100");
  assertStrictEquals(spans("bytes=-5"), "95..100");
  assertStrictEquals(spans("bytes=-500"), "0..100");
  assertStrictEquals(spans("bytes=0-99999999999999999999999"), "0..100");
});

Deno.test("readRanges() merges what overlaps or touches and keeps the order of the rest", () => {
  assertStrictEquals(spans("bytes=50-59,0-9"), "50..60 0..10");
  assertStrictEquals(spans("bytes=0-9,10-19"), "0..20");
  assertStrictEquals(spans("bytes=20-29,0-9,5-24"), "0..30");
  assertStrictEquals(spans("bytes=80-89,0-9,40-49,5-44"), "80..90 0..50");
  assertStrictEquals(spans("bytes=0-,0-,0-,-100"), "0..100");
  assertStrictEquals(spans("bytes=500-,0-1,,-0"), "0..2");
});

Deno.test("readRanges() ignores what is malformed, foreign or absurd", () => {
  const values = [
    ...["", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2-3", "items=0-1", "bytes 0-1"],
    ...["bytes=0-1,x", "bytes=0x1-2", "bytes=--1", "bytes=1.5-2", "bytes=0-1;q=1", `bytes=${",".repeat(100)}0-1`],
    `bytes=${Array(MAX_RANGES + 1).fill("0-0").join()}`,
  ];
  for (const value of values) assertStrictEquals(spans(value), "ignored", value);
});

Deno.test("readRanges() finds nothing to send beyond the end", () => {
  for (const value of ["bytes=100-", "bytes=100-200,300-", "bytes=-0", "bytes=99999999999999999999-"]) {
    assertStrictEquals(spans(value), "unsatisfiable", value);
  }
  assertStrictEquals(spans("bytes=0-", 0), "unsatisfiable");
  assertStrictEquals(spans("bytes=-1", 0), "unsatisfiable");
});

Deno.test("readRanges() covers exactly the bytes that a naive reading covers, and none twice", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 2000; round++) {
    const sizeBytes = 1 + Math.floor(random() * 40);
    const wanted = new Set<number>();
    const parts: string[] = [];
    for (let i = 1 + Math.floor(random() * 6); i > 0; i--) {
      const first = Math.floor(random() * 50);
      const last = first + Math.floor(random() * 8);
      parts.push(`${first}-${last}`);
      for (let byte = first; byte <= last && byte < sizeBytes; byte++) wanted.add(byte);
    }
    const ranges = readRanges(`bytes=${parts}`, sizeBytes);
    if (ranges === "unsatisfiable") {
      assertStrictEquals(wanted.size, 0);
      continue;
    }
    assert(ranges !== "ignored");
    const sent = ranges.flatMap((span: ByteSpan) =>
      Array.from({ length: span.endByte - span.startByte }, (_, i) => span.startByte + i)
    );
    assertEquals(sent.toSorted((a, b) => a - b), [...wanted].toSorted((a, b) => a - b), parts.join());
  }
});
