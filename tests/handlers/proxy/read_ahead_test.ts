// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { ReadAhead } from "../../../lib/handlers/proxy/read_ahead.ts";
import { type BodyConnection, type BodySender, RequestBody } from "../../../lib/handlers/proxy/request_body.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
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

/** An upstream that takes nothing until {@linkcode flow}. */
class Stalled implements BodyConnection, BodySender {
  readonly mayResend = false;
  readonly deadlines = new Deadlines(new CoarseClock(), {
    readTimeoutMs: Infinity,
    writeTimeoutMs: Infinity,
    clientTimeoutMs: Infinity,
  });
  blocked = false;
  sent = false;

  ask(): void {
    this.blocked = true;
  }

  send(): boolean {
    return !this.blocked;
  }

  sendChunk(): boolean {
    return !this.blocked;
  }

  sendLastChunk(): void {}

  flow(body: RequestBody): void {
    this.blocked = false;
    body.drained();
  }

  bodySent(): void {
    this.sent = true;
  }

  bodyBroken(failure: Error): void {
    throw failure;
  }
}

Deno.test("a body counts what it holds until that is sent, or the body is let go", async () => {
  for (const end of ["sent", "cancelled"] as const) {
    const readAhead = new ReadAhead();
    const bodies = Array.from({ length: 12 }, () => {
      const body = new RequestBody(sourceOf(200), -1, { limit: undefined, retry_buffer: PIECE, readAhead });
      const upstream = new Stalled();
      body.sendTo(upstream, "", upstream);
      return { body, upstream };
    });
    let before = -1;
    while (before !== readAhead.heldBytes) {
      before = readAhead.heldBytes;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertGreater(before, 16 * MIB);
    assertLessOrEqual(before, 33 * MIB);
    for (const { body, upstream } of bodies) {
      if (end === "cancelled") body.cancel();
      upstream.flow(body);
    }
    assert(bodies.every(({ upstream }) => upstream.sent === (end === "sent")), end);
    assertEquals(readAhead.heldBytes, 0, end);
  }
});
