// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse } from "@std/assert";
import { ReplayBuffer } from "../../../lib/handlers/proxy/replay_buffer.ts";

const MAX_REPLAY_BYTES = 8;

/** A buffer with the pieces of a client. */
function bufferOf(...pieces: readonly string[]): ReplayBuffer {
  const buffer = new ReplayBuffer(MAX_REPLAY_BYTES);
  for (const piece of pieces) buffer.add(new TextEncoder().encode(piece), "given");
  return buffer;
}

function taken(buffer: ReplayBuffer): string | undefined {
  const bytes = buffer.take();
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("ReplayBuffer.take() joins all unsent pieces", () => {
  const buffer = bufferOf("ab", "c");
  assertEquals([buffer.unsent, taken(buffer), buffer.unsent, taken(buffer)], [2, "abc", 0, undefined]);
  buffer.add(new TextEncoder().encode("d"), "given");
  assertEquals([taken(buffer), buffer.takenBytes], ["d", 4]);
});

Deno.test("ReplayBuffer.rewind() gives the same bytes again, up to the limit", () => {
  const buffer = bufferOf("1234");
  taken(buffer);
  buffer.sent();
  buffer.add(new TextEncoder().encode("5678"), "given");
  taken(buffer);
  buffer.sent();
  assert(buffer.replayable);
  buffer.rewind();
  assertEquals([buffer.takenBytes, buffer.unsent, taken(buffer)], [0, 2, "12345678"]);
});

Deno.test("ReplayBuffer.sent() releases pieces of a body that is not replayable, and only those that it owns", () => {
  // Smaller buffers are left to the garbage collector.
  const size = 16 * 1024;
  for (const [ownership, left] of [["given", 0], ["shared", size]] as const) {
    const bytes = new Uint8Array(size);
    const buffer = new ReplayBuffer(MAX_REPLAY_BYTES);
    buffer.add(bytes, ownership);
    buffer.take();
    assertFalse(buffer.replayable);
    assertEquals(bytes.length, size);
    buffer.sent();
    assertEquals([ownership, bytes.length], [ownership, left]);
  }
});

Deno.test("ReplayBuffer.add() copies a lent piece, whose memory is used again", () => {
  const bytes = new TextEncoder().encode("lent");
  const buffer = new ReplayBuffer(MAX_REPLAY_BYTES);
  buffer.add(bytes, "lent");
  bytes.fill(0);
  assertEquals(taken(buffer), "lent");
});

Deno.test("ReplayBuffer.furthestBytes counts bytes that are sent again once", () => {
  const buffer = bufferOf("1234");
  taken(buffer);
  buffer.rewind();
  assertEquals([buffer.takenBytes, buffer.furthestBytes], [0, 4]);
  taken(buffer);
  assertEquals(buffer.furthestBytes, 4);
  buffer.add(new TextEncoder().encode("5"), "given");
  taken(buffer);
  assertEquals(buffer.furthestBytes, 5);
});
