// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { ReadAhead } from "../../../lib/handlers/proxy/read_ahead.ts";
import { RequestBody } from "../../../lib/handlers/proxy/request_body.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import type { Connection } from "../../../lib/upstream/connection/connection.ts";
import { BodyClient } from "../../support/body_client.ts";
import { Deadlines } from "../../../lib/upstream/connection/deadlines.ts";

const MIB = 1024 * 1024;
const PIECE = 64 * 1024;

/** Lets uploads that nobody takes read as much as they may; how much each holds. */
function fill(readAhead: ReadAhead, uploads: number): number[] {
  return Array.from({ length: uploads }, () => {
    let held = 0;
    while (readAhead.allows(held)) {
      readAhead.add(PIECE);
      held += PIECE;
    }
    return held;
  });
}

Deno.test("one upload that stalls may hold 4 MiB, and 1,000 together no more than 32 MiB and a piece each", () => {
  assertEquals(fill(new ReadAhead(), 1), [4 * MIB]);
  const readAhead = new ReadAhead();
  const held = fill(readAhead, 1000);
  assertEquals(Math.max(...held), 4 * MIB);
  assertEquals(Math.min(...held), PIECE);
  assertLessOrEqual(readAhead.heldBytes, 32 * MIB + 1000 * PIECE);
  // 200 hold a quarter of a MiB each, on average.
  const two = new ReadAhead();
  fill(two, 200);
  assertLessOrEqual(two.heldBytes / 200, 256 * 1024);
});

/** A body of `pieces` pieces, as fast as it is read. */
function sourceOf(pieces: number): BodyClient {
  const client = new BodyClient();
  for (let i = 0; i < pieces; i++) client.send(new Uint8Array(PIECE));
  client.end();
  return client;
}

/** A connection whose upstream takes nothing until {@linkcode flow}. */
function stalled() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const limits = { readTimeoutMs: Infinity, writeTimeoutMs: Infinity, clientTimeoutMs: Infinity };
  const deadlines = new Deadlines(new CoarseClock(), limits);
  return { connection: { deadlines, send: () => promise } as unknown as Connection, flow: resolve };
}

Deno.test("a body counts what it holds until that is sent, or the body is let go", async () => {
  for (const end of ["sent", "cancelled"] as const) {
    const readAhead = new ReadAhead();
    const bodies = Array.from({ length: 12 }, () => {
      const body = new RequestBody(sourceOf(200), -1, { limit: undefined, retry_buffer: PIECE, readAhead });
      const { connection, flow } = stalled();
      const sending = body.sendRest(connection);
      return { body, sending, flow };
    });
    let before = -1;
    while (before !== readAhead.heldBytes) {
      before = readAhead.heldBytes;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertGreater(before, 16 * MIB);
    assertLessOrEqual(before, 33 * MIB);
    for (const { body, flow } of bodies) {
      if (end === "cancelled") body.cancel();
      flow();
    }
    const whole = await Promise.all(bodies.map(({ sending }) => sending));
    assert(whole.every((sent) => sent === (end === "sent")), end);
    assertEquals(readAhead.heldBytes, 0, end);
  }
});
