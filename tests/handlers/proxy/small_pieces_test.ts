// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { SmallPieces, type TurnWaiter } from "../../../lib/handlers/proxy/small_pieces.ts";
import { TransportFailure } from "../../../lib/failure/failure.ts";

function nextTurn(): { waiter: TurnWaiter; turn: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { waiter: { onTurn: resolve }, turn: promise };
}

Deno.test("SmallPieces.add() makes a body of many small pieces wait, so that others have their turn", async () => {
  const pieces = new SmallPieces();
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  let waits = 0;
  for (let i = 0; i < 500; i++) {
    const { waiter, turn } = nextTurn();
    if (pieces.add(100, waiter)) continue;
    waits++;
    await turn;
  }
  clearInterval(counting);
  assert(waits >= 25, `${waits} waits`);
  assert(turns >= waits, `${turns} turns, ${waits} waits`);
});

Deno.test("SmallPieces.add() lets a body of a few pieces pass at once", () => {
  for (let body = 0; body < 1000; body++) {
    const pieces = new SmallPieces();
    for (let i = 0; i < 8; i++) assert(pieces.add(1, nextTurn().waiter));
  }
});

Deno.test("SmallPieces.add() refuses thousands of pieces of a few bytes that come faster than they can be read", async () => {
  const pieces = new SmallPieces();
  const failure = await (async () => {
    for (let i = 0; i < 20_000; i++) {
      try {
        const { waiter, turn } = nextTurn();
        // They are read as fast as may be.
        if (!pieces.add(1, waiter)) await turn;
      } catch (error) {
        return { error, i };
      }
    }
    return undefined;
  })();
  assert(failure?.error instanceof TransportFailure);
  assertEquals(failure.error.kind, "body_too_large");
  assert(failure.i >= 4096);
});
