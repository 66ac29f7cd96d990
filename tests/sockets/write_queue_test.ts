// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { takeBuffer } from "../../lib/sockets/socket_buffers.ts";
import { WriteQueue } from "../../lib/sockets/write_queue.ts";
import { seededRandom } from "../contract/seeded_random.ts";
import { checkNumberedBytes, numberedBytes } from "../support/numbered_bytes.ts";

const OWNERSHIPS = ["lent", "shared", "given"] as const;

Deno.test("WriteQueue gives the bytes in order, whatever is added and however much is taken at once", () => {
  const random = seededRandom(27);
  for (let round = 0; round < 60; round++) {
    const queue = new WriteQueue();
    let added = 0;
    let taken = 0;
    /** What a pending write refers to must stay as it is while more is added. */
    let front: Uint8Array | undefined;
    for (let step = 0; step < 200; step++) {
      if (random() < 0.6) {
        const largest = [10, 1000, 20_000, 70_000, 400_000][Math.floor(random() * (round % 5 + 1))];
        const length = 1 + Math.floor(random() * largest);
        const ownership = OWNERSHIPS[Math.floor(random() * 3)];
        const bytes = numberedBytes(added, length);
        queue.add(bytes, ownership, random() < 0.5);
        if (ownership === "lent") bytes.fill(0xee);
        added += length;
      } else if (front === undefined && queue.bytes > 0) {
        front = queue.front();
      } else if (front !== undefined) {
        checkNumberedBytes(front, 0, front.length, taken);
        const count = random() < 0.3 ? front.length : Math.floor(random() * (front.length + 1));
        queue.taken(count);
        taken += count;
        front = undefined;
      }
      assertEquals(queue.bytes, added - taken);
    }
    queue.clear();
    assertEquals(queue.bytes, 0);
  }
});

Deno.test("WriteQueue joins a head and the small body behind it, and not what is large and needs no copy", () => {
  const queue = new WriteQueue();
  queue.add(numberedBytes(0, 300), "lent", true);
  queue.add(numberedBytes(300, 10_000), "shared", true);
  const large = numberedBytes(10_300, 30_000);
  queue.add(large, "shared", true);
  const joined = queue.front();
  checkNumberedBytes(joined, 0, joined.length, 0);
  assertEquals(joined.length, 10_300);
  queue.taken(joined.length);
  assertEquals(queue.front() === large, true);
  queue.taken(large.length);
  assertEquals(queue.bytes, 0);
});

Deno.test("WriteQueue uses a given buffer again only once, and after all of it is taken", () => {
  const queue = new WriteQueue();
  const given = new Uint8Array(64 * 1024);
  queue.add(given, "given", false);
  queue.front();
  queue.taken(1000);
  const before = takeBuffer(2);
  assertEquals(before.buffer === given.buffer, false);
  queue.front();
  queue.taken(given.length - 1000);
  assertEquals(takeBuffer(2).buffer === given.buffer, true);
  assertEquals(takeBuffer(2).buffer === given.buffer, false);
});
