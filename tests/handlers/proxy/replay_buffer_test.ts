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

Deno.test("ReplayBuffer.batchOwnership gives a batch away once it is not kept, and only if the buffer owns it", () => {
  for (const ownership of ["given", "shared"] as const) {
    const buffer = new ReplayBuffer(MAX_REPLAY_BYTES);
    buffer.add(new Uint8Array(MAX_REPLAY_BYTES), ownership);
    buffer.take();
    assertEquals(buffer.batchOwnership, "shared");
    buffer.add(new Uint8Array(1), ownership);
    buffer.take();
    assertFalse(buffer.replayable);
    assertEquals(buffer.batchOwnership, ownership);
  }
});

Deno.test("ReplayBuffer.pass() counts a piece that is not kept, and drops those that were", () => {
  const buffer = bufferOf("1234");
  taken(buffer);
  assertEquals([buffer.keeps(4), buffer.keeps(5)], [true, false]);
  buffer.pass(5);
  assertEquals([buffer.takenBytes, buffer.furthestBytes, buffer.replayable, buffer.unsent], [9, 9, false, 0]);
});

Deno.test("ReplayBuffer.keepLent() copies a lent piece, whose memory is used again", () => {
  for (const before of [true, false]) {
    const bytes = new TextEncoder().encode("lent");
    const buffer = new ReplayBuffer(MAX_REPLAY_BYTES);
    buffer.add(bytes, "lent");
    if (before) assertEquals([taken(buffer), buffer.batchOwnership, buffer.unsent], ["lent", "lent", 0]);
    buffer.keepLent();
    bytes.fill(0);
    if (before) buffer.rewind();
    assertEquals([buffer.unsent, taken(buffer), buffer.batchOwnership], [1, "lent", "shared"]);
  }
});

Deno.test("ReplayBuffer.add() copies the lent piece before it, and take() joins the last one with those before it", () => {
  const buffer = bufferOf("1");
  for (const text of ["2", "3"]) buffer.add(new TextEncoder().encode(text), "lent");
  assertEquals([buffer.unsent, taken(buffer), buffer.unsent, buffer.batchOwnership], [3, "123", 0, "shared"]);
});

Deno.test("ReplayBuffer.forgo() drops what was sent, and not what was taken and is rewound", () => {
  const buffer = bufferOf("1234");
  buffer.forgo();
  taken(buffer);
  buffer.rewind();
  assertEquals([taken(buffer), buffer.replayable], ["1234", false]);
  buffer.sent();
  buffer.add(new TextEncoder().encode("lent"), "lent");
  assertEquals(taken(buffer), "lent");
  buffer.sent();
  buffer.keepLent();
  buffer.rewind();
  assertEquals(buffer.unsent, 0);
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
