// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { CHUNK_OVERHEAD_BYTES, chunkOf, LAST_CHUNK, lastChunk, putChunk } from "../../lib/http1/chunked_encoder.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { bodyOutcome, bytesOf } from "./outcome.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("chunkOf() and putChunk() write what a decoder reads back", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (const size of [1, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 65_535, 65_536, 1 + Math.floor(random() * 100_000)]) {
    const data = bytesOf("x\r\n0\r\n\r\n".repeat(Math.ceil(size / 8)).slice(0, size));
    const target = new Uint8Array(size + CHUNK_OVERHEAD_BYTES);
    const chunk = chunkOf(data);
    assertEquals(textOf(chunk), `${size.toString(16)}\r\n${textOf(data)}\r\n`, `seed ${seed}, size ${size}`);
    assertEquals(target.slice(3, putChunk(target, 3, data)), chunk);
    const body = new Uint8Array(chunk.length + LAST_CHUNK.length);
    body.set(chunk);
    body.set(LAST_CHUNK, chunk.length);
    assertEquals(bodyOutcome(body, { kind: "chunked" }), {
      payload: textOf(data),
      done: true,
      rest: "",
      trailers: undefined,
      error: undefined,
    });
  }
});

Deno.test("putChunk() writes nothing of empty data, which would end the body", () => {
  assertEquals(putChunk(new Uint8Array(20), 4, new Uint8Array(0)), 4);
});

Deno.test("lastChunk() ends a body with trailers", () => {
  assertEquals(lastChunk([]), textOf(LAST_CHUNK));
  const ended = bodyOutcome(bytesOf(lastChunk(["X-Sum", "1"])), { kind: "chunked", keepTrailers: true });
  assertEquals([ended.done, ended.trailers], [true, ["X-Sum", "1"]]);
});
