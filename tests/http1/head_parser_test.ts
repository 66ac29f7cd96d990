// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
import { type HeadKind, HeadParser } from "../../lib/http1/head_parser.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { mutated, randomHead, REQUESTS, RESPONSES } from "./corpus.ts";
import { bytesOf, type HeadOutcome, headOutcome } from "./outcome.ts";
import { twinOutcome } from "./twin_parser.ts";

const KINDS: readonly (readonly [HeadKind, bareLineFeeds: boolean])[] = [
  ["request", false],
  ["response", true],
  ["response", false],
  ["trailers", true],
];

/** All heads of the corpus: what other tests send, as requests and as responses, and what is made up. */
function* corpus(random: () => number, made: number): Generator<[text: string, kind: HeadKind, bare: boolean]> {
  for (const text of REQUESTS) yield [text, "request", false];
  for (const text of RESPONSES) {
    yield [text, "response", true];
    yield [text, "response", false];
  }
  for (let round = 0; round < made; round++) {
    const [kind, bare] = KINDS[round % KINDS.length];
    const text = randomHead(random, kind);
    yield [round % 3 === 0 ? mutated(random, text) : text, kind, bare];
  }
}

function assertSame(actual: HeadOutcome, expected: HeadOutcome, what: () => string): void {
  // To compare text is much quicker than to compare objects, and there are a million of them.
  if (JSON.stringify(actual) !== JSON.stringify(expected)) assertEquals(actual, expected, what());
}

Deno.test("HeadParser.parse() finds the same in a head that is cut in two, wherever, and in one that comes byte by byte", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  let heads = 0;
  for (const [text, kind, bare] of corpus(random, 1200)) {
    const bytes = bytesOf(text);
    const whole = headOutcome(bytes, kind, bare);
    if (whole.state === "head") heads++;
    const where = (cut: string) => () => `seed ${seed}: ${JSON.stringify(text.slice(0, 200))} ${cut}`;
    // Of those that are long, some places will do: each cut costs a parse.
    const step = bytes.length > 2000 ? Math.ceil(bytes.length / 10) : 1;
    for (let cut = 0; cut <= bytes.length; cut += step) {
      assertSame(headOutcome(bytes, kind, bare, [cut]), whole, where(`cut at ${cut}`));
    }
    const single = Array.from({ length: bytes.length }, (_, i) => i);
    assertSame(headOutcome(bytes, kind, bare, single), whole, where("byte by byte"));
  }
  assertEquals(heads > 300, true, `only ${heads} heads were right: the corpus shows too little`);
});

Deno.test("HeadParser.parse() and declaredLength() say what a slow parser that follows the grammar says", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const states: Record<string, number> = {};
  for (const [text, kind, bare] of corpus(random, 40_000)) {
    const parsed = headOutcome(bytesOf(text), kind, bare);
    const twin = twinOutcome(text, kind, bare);
    states[twin.state] = (states[twin.state] ?? 0) + 1;
    assertSame(
      comparable(parsed),
      comparable(twin),
      () => `seed ${seed}: ${kind} ${JSON.stringify(text.slice(0, 300))}`,
    );
  }
  for (const state of ["head", "more", "malformed"]) {
    assertEquals(states[state] > 1000, true, `${state}: ${states[state]}, expected more`);
  }
});

/** Without what the twin does not tell: what exactly is wrong. */
function comparable(outcome: HeadOutcome): HeadOutcome {
  if (outcome.state === "malformed") return { state: "malformed", error: "" };
  if (outcome.state === "more" || typeof outcome.declared === "number") return outcome;
  return { ...outcome, declared: "malformed" };
}

/** Bytes that count how often one of them is looked at. */
function countingBytes(bytes: Uint8Array): { bytes: Uint8Array; reads: () => number } {
  let reads = 0;
  const counting = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { bytes: counting, reads: () => reads };
}

Deno.test("HeadParser.parse() looks at each byte a few times at most, however a head is cut", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (const [text, kind, bare] of corpus(random, 500)) {
    const length = Math.min(text.length, 5000);
    if (length === 0) continue;
    for (const step of [1, 3, length]) {
      const counted = countingBytes(bytesOf(text.slice(0, length)));
      const parser = new HeadParser(kind, { bareLineFeeds: bare });
      try {
        for (let end = step; end <= length; end += step) {
          if (parser.parse(counted.bytes, 0, end) >= 0) break;
        }
      } catch {
        // Malformed, which must not take longer.
      }
      assertLess(
        counted.reads(),
        4 * length + 100,
        `seed ${seed}: ${JSON.stringify(text.slice(0, 200))}, step ${step}`,
      );
    }
  }
});

Deno.test("HeadParser reads one head after the other, and keeps nothing of the one before", () => {
  const parser = new HeadParser("request");
  const bytes = bytesOf(
    "GET /a HTTP/1.1\r\nHost: a\r\nX-\xc4".replace("X-\xc4", "X: \xe4") + "\r\n\r\nPUT /b HTTP/1.0\r\nY: 2\r\n\r\n",
  );
  const end = parser.parse(bytes, 0, bytes.length);
  assertEquals([parser.head.method, parser.head.lines()], ["GET", ["Host", "a", "X", "\xe4"]]);
  parser.begin();
  assertEquals(parser.parse(bytes, end, bytes.length), bytes.length);
  const { head } = parser;
  assertEquals([head.method, head.target, head.minorVersion, head.high], ["PUT", "/b", 0, false]);
  assertEquals([head.lineCount, head.value(0), head.name(0).lower, head.length], [1, "2", "y", bytes.length - end]);
});

Deno.test("Head gives text of what is asked for, and where its parts lie", () => {
  const text = "POST /x?y HTTP/1.1\r\nContent-Length:  7 \r\nEmpty:\r\n\r\n";
  const parser = new HeadParser("request");
  parser.parse(bytesOf("...." + text), 4, 4 + text.length);
  const { head } = parser;
  const line = (i: number) => [
    text.slice(head.lineStart(i), head.lineStart(i) + head.name(i).name.length),
    text.slice(head.valueStart(i), head.valueEnd(i)),
  ];
  assertEquals([line(0), line(1)], [["Content-Length", "7"], ["Empty", ""]]);
  assertEquals([head.name(0).codec, head.name(1).codec, head.value(0)], ["content-length", undefined, "7"]);
  assertEquals(text.slice(0, head.firstLineLength), "POST /x?y HTTP/1.1");
  head.decode();
  assertEquals([head.method, head.target, head.value(0)], ["POST", "/x?y", "7"]);
});

Deno.test("HeadParser takes more lines than it has room for at first, and names that are never met again", () => {
  let text = "HTTP/1.1 200 OK\r\n";
  const expected: string[] = [];
  for (let i = 0; i < 10_000; i++) {
    text += `n${i}: ${i}\r\n`;
    expected.push(`n${i}`, String(i));
  }
  const long = "x".repeat(200);
  const bytes = bytesOf(text + `${long}: 1\r\n\r\n`);
  for (let round = 0; round < 2; round++) {
    const parser = new HeadParser("response");
    assertEquals(parser.parse(bytes, 0, bytes.length), bytes.length);
    assertEquals(parser.head.lines(), [...expected, long, "1"]);
  }
});
