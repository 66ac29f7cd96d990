// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MESSAGE_OVERHEAD, UnsentMessages } from "../../../lib/handlers/websocket/unsent_messages.ts";

Deno.test("UnsentMessages.overhead() counts what waits, and nothing once it is gone", () => {
  const unsent = new UnsentMessages();
  for (let i = 1; i <= 100; i++) {
    unsent.add(10);
    assertEquals(unsent.overhead(i * 10), i * MESSAGE_OVERHEAD);
  }
  // A mark at a time.
  unsent.overhead(0);
  assertEquals(unsent.overhead(0), 0);
});

Deno.test("UnsentMessages.overhead() of a steady flow is that of what waits, about", () => {
  const unsent = new UnsentMessages();
  for (let i = 0; i < 10_000; i++) {
    unsent.add(10);
    // Five wait at any time.
    const estimate = unsent.overhead(Math.min(i + 1, 5) * 10) / MESSAGE_OVERHEAD;
    assert(estimate >= Math.min(i + 1, 5) && estimate <= 11, `${estimate} after ${i}`);
  }
});

Deno.test("UnsentMessages.overhead() takes no empty message for gone that may wait", () => {
  const unsent = new UnsentMessages();
  for (let i = 0; i < 1000; i++) {
    unsent.add(0);
    assertEquals(unsent.overhead(0), (i + 1) * MESSAGE_OVERHEAD);
  }
  unsent.add(1);
  unsent.overhead(1);
  unsent.overhead(0);
  assertEquals(unsent.overhead(0), 0);
});

Deno.test("UnsentMessages.tick() lets a slow flow of empty messages pass for ever", () => {
  const unsent = new UnsentMessages();
  for (let nowMs = 50; nowMs < 600_000; nowMs += 50) {
    for (let i = 0; i < 20; i++) unsent.add(0);
    assert(unsent.overhead(0) <= 40 * MESSAGE_OVERHEAD);
    unsent.tick(nowMs);
  }
});

Deno.test("UnsentMessages.tick() forgives nothing behind bytes that wait", () => {
  const unsent = new UnsentMessages();
  unsent.add(1);
  for (let i = 0; i < 10; i++) unsent.add(0);
  for (let nowMs = 50; nowMs < 5000; nowMs += 50) unsent.tick(nowMs);
  assertEquals(unsent.overhead(1), 11 * MESSAGE_OVERHEAD);
});
