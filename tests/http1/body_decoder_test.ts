// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { CHUNKED_BODIES, mutated } from "./corpus.ts";
import { bodyOutcome, bytesOf } from "./outcome.ts";
import { twinChunks } from "./twin_parser.ts";

Deno.test("BodyDecoder.take() finds the same in a chunked body that is cut in two, wherever, and byte by byte", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const bodies = [...CHUNKED_BODIES];
  for (let round = 0; round < 400; round++) {
    const body = CHUNKED_BODIES[round % CHUNKED_BODIES.length];
    if (body.length < 200) bodies.push(mutated(random, body));
  }
  let whole = 0;
  for (const text of bodies) {
    const bytes = bytesOf(text);
    const step = bytes.length > 1000 ? Math.ceil(bytes.length / 10) : 1;
    for (const bareLineFeeds of [false, true]) {
      for (const keepTrailers of [false, true]) {
        const options = { kind: "chunked", bareLineFeeds, keepTrailers } as const;
        const expected = bodyOutcome(bytes, options);
        if (expected.done) whole++;
        const where = `seed ${seed}: ${JSON.stringify(text.slice(0, 100))}`;
        for (let cut = 0; cut <= bytes.length; cut += step) {
          assertEquals(bodyOutcome(bytes, { ...options, cuts: [cut] }), expected, `${where} cut at ${cut}`);
        }
        if (step > 1) continue;
        const cuts = Array.from({ length: bytes.length }, (_, i) => i);
        assertEquals(bodyOutcome(bytes, { ...options, cuts }), expected, `${where} byte by byte`);
      }
    }
  }
  assertEquals(whole > 50, true, `only ${whole} bodies were right: the corpus shows too little`);
});

Deno.test("BodyDecoder.take() says of chunked bodies what a slow decoder that follows the grammar says", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const short = CHUNKED_BODIES.filter((body) => body.length < 300);
  const counts = { done: 0, malformed: 0, begun: 0 };
  for (let round = 0; round < 20_000; round++) {
    const text = mutated(random, short[round % short.length]);
    const bareLineFeeds = random() < 0.5;
    const twin = twinChunks(text, bareLineFeeds);
    const { payload, done, rest, error } = bodyOutcome(bytesOf(text), { kind: "chunked", bareLineFeeds });
    counts[twin === "malformed" ? "malformed" : twin.done ? "done" : "begun"]++;
    assertEquals(
      error !== undefined ? "malformed" : { payload, done, rest },
      twin,
      `seed ${seed}: ${JSON.stringify(text)}`,
    );
  }
  for (const [what, count] of Object.entries(counts)) assertEquals(count > 300, true, `${what}: ${count}`);
});

Deno.test("BodyDecoder.take() stops where the length or the last chunk says, and never where the end of the connection does", () => {
  const bytes = bytesOf("helloGET / HTTP/1.1");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const length = bodyOutcome(bytes, { kind: "length", length: 5, cuts: [cut] });
    assertEquals([length.payload, length.done, length.rest], ["hello", true, "GET / HTTP/1.1"]);
    const close = bodyOutcome(bytes, { kind: "close", cuts: [cut] });
    assertEquals([close.payload.length, close.done, close.rest], [bytes.length, false, ""]);
  }
  const chunked = bytesOf("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1");
  for (let cut = 0; cut <= chunked.length; cut++) {
    const { payload, done, rest } = bodyOutcome(chunked, { kind: "chunked", cuts: [cut] });
    assertEquals([payload, done, rest], ["hello", true, "GET / HTTP/1.1"]);
  }
  assertEquals(bodyOutcome(bytes, { kind: "none" }), {
    payload: "",
    done: true,
    rest: "helloGET / HTTP/1.1",
    trailers: undefined,
    error: undefined,
  });
});

Deno.test("BodyDecoder gives the trailers of a chunked body where they are wanted, and refuses those that are none", () => {
  const body = (trailers: string) => bytesOf(`3\r\nabc\r\n0\r\n${trailers}\r\n`);
  const read = (trailers: string) => bodyOutcome(body(trailers), { kind: "chunked", keepTrailers: true });
  assertEquals(read("").trailers, []);
  assertEquals(read("X-Sum:  1 \r\nx-sum: \xe9\r\n").trailers, ["X-Sum", "1", "x-sum", "\xe9"]);
  for (const trailers of ["no colon\r\n", "X : y\r\n", " X: y\r\n", "X: a\0b\r\n"]) {
    assertEquals(read(trailers).error?.startsWith("syntax: "), true, trailers);
    // Whoever reads past them does not look at them.
    assertEquals(bodyOutcome(body(trailers), { kind: "chunked" }).done, true, trailers);
  }
});
