// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Exchange } from "../../../lib/exchange/exchange.ts";
import { Retry } from "../../../lib/handlers/proxy/retry.ts";
import type { Pool } from "../../../lib/upstream/pool.ts";

/** When another round was begun, in milliseconds after the start, by a clock that goes on by timers alone. */
async function roundsWithin(tryForMs: number, backoff: { backoffMs: number; maxBackoffMs: number }): Promise<number[]> {
  const { setTimeout: realTimeout } = globalThis;
  const { now } = performance;
  let clockMs = 1000;
  const rounds: number[] = [];
  Object.assign(performance, { now: () => clockMs });
  Object.assign(globalThis, {
    setTimeout: (done: () => void, ms: number) => {
      clockMs += ms;
      return realTimeout(done, 0);
    },
  });
  try {
    const exchange = { startMs: clockMs, client: { signal: new AbortController().signal } } as Exchange;
    const options = { attempts: 3, tryForMs, retryOn: [], showAttempts: false, ...backoff };
    const retry = new Retry({ exchange, pool: {} as Pool, options, body: undefined });
    while (await retry.anotherRound()) rounds.push(clockMs - 1000);
    return rounds;
  } finally {
    Object.assign(globalThis, { setTimeout: realTimeout });
    Object.assign(performance, { now });
  }
}

Deno.test("with try_for, the last try is at the limit, whatever the pauses were", async () => {
  for (let run = 0; run < 50; run++) {
    const rounds = await roundsWithin(1000, { backoffMs: 25, maxBackoffMs: 1000 });
    // Never before it but for rounding; after it by less than a millisecond, since no pause is shorter than that.
    const last = rounds.at(-1) ?? 0;
    assertGreater(last, 1000 - 1e-6);
    assertLess(last, 1001 + 1e-6);
    for (const round of rounds.slice(0, -1)) assertLess(round, 1000);
    assertEquals(rounds.length > 4, true, rounds.join());
  }
});

Deno.test("with try_for shorter than the first pause, there is one more try", async () => {
  assertEquals(await roundsWithin(10, { backoffMs: 500, maxBackoffMs: 1000 }), [10]);
});
