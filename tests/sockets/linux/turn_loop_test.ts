// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { PendingOperation } from "../../support/pending_operation.ts";
import { TurnLoop } from "../../../lib/sockets/linux/turn_loop.ts";
import { middlewareCalls } from "../../../lib/state/middleware_calls.ts";
import { sharedTime } from "../../../lib/state/shared_time.ts";

const START_MS = 1_000_000;

/** The time of {@linkcode TestLoop}, which only moves while it waits. */
let nowMs = START_MS;

/** A loop whose events come at once where it does not wait, and one in each millisecond where it does. */
class TestLoop extends TurnLoop {
  /** For how long each turn could have waited, in µs. */
  readonly waitsUs: number[] = [];
  /** Events that are at hand before one has to be waited for. */
  atHand = 1;
  /** Called with each turn. */
  onTurn: () => void = () => {};
  #slice = Promise.withResolvers<void>();

  /** Lets one slice run. Returns how long it took, in milliseconds. */
  async slice(): Promise<number> {
    this.waits = true;
    this.#slice = Promise.withResolvers();
    const startMs = nowMs;
    this.woken();
    await this.#slice.promise;
    return nowMs - startMs;
  }

  override endSlice(): void {
    super.endSlice();
  }

  protected takeEvents(waitUs: number): number {
    this.sent = true;
    this.waitsUs.push(waitUs);
    let events = this.atHand;
    this.atHand = 0;
    if (events === 0 && waitUs > 0) {
      nowMs += Math.min(1, waitUs / 1000);
      events = waitUs >= 1000 ? 1 : 0;
    }
    this.onTurn();
    this.beginBatch();
    return events;
  }

  protected wait(): boolean {
    this.#slice.resolve();
    return true;
  }

  protected watchReactor(): void {}

  protected disarm(): boolean {
    return true;
  }

  protected wakeSelf(): void {}
}

/** A new loop. It has set a timer of a millisecond, to find out what the runtime tells, which is over when this resolves. */
async function newLoop(): Promise<TestLoop> {
  const loop = new TestLoop();
  await loop.slice();
  loop.waitsUs.length = 0;
  loop.atHand = 1;
  await new Promise((resolve) => setTimeout(resolve, 2));
  return loop;
}

function test(name: string, run: (loop: TestLoop) => Promise<void>): void {
  Deno.test(name, async () => {
    nowMs = START_MS;
    sharedTime.readBy(() => nowMs);
    try {
      await run(await newLoop());
    } finally {
      sharedTime.readBy(() => performance.now());
    }
  });
}

test("TurnLoop: where little comes and the runtime has nothing to do, a slice takes 20 ms", async (loop) => {
  assertEquals(await loop.slice(), 20);
});

Deno.test("TurnLoop: a slice ends when a timer is due, and the timer then runs before the next slice", async () => {
  nowMs = START_MS;
  sharedTime.readBy(() => nowMs);
  try {
    const beforeMs = performance.now();
    const loop = await newLoop();
    const fired = new Promise((resolve) => setTimeout(resolve, 7));
    // From the loop's point of view the timer is due later by what it took to get here.
    const latestMs = 7 + performance.now() - beforeMs + 1;
    const tookMs = await loop.slice();
    assert(tookMs > 6 && tookMs <= latestMs, `${tookMs} ms, at most ${latestMs}`);
    await fired;
  } finally {
    sharedTime.readBy(() => performance.now());
  }
});

test("TurnLoop: a timer that is set within a slice ends it too", async (loop) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  loop.onTurn = () => timer ??= setTimeout(() => {}, 1);
  const tookMs = await loop.slice();
  assert(tookMs <= 20, `${tookMs}`);
  assert(loop.waitsUs.every((waitUs) => waitUs <= 20_000));
  clearTimeout(timer);
});

test("TurnLoop: while middleware has a request, a slice takes 4 ms", async (loop) => {
  middlewareCalls.pending++;
  try {
    assertEquals(await loop.slice(), 4);
  } finally {
    middlewareCalls.pending--;
  }
});

test("TurnLoop: once an operation of the runtime was begun, no turn waits any more", async (loop) => {
  using operation = new PendingOperation();
  loop.onTurn = () => {
    if (loop.waitsUs.length === 5) operation.begin();
  };
  await loop.slice();
  assertEquals(loop.waitsUs.slice(5), [0]);
  assert(loop.waitsUs[4] > 0);
  // The runtime has had its turn.
  loop.atHand = 1;
  await loop.slice();
  assert(loop.waitsUs.slice(6).some((waitUs) => waitUs > 0));
});

test("TurnLoop: operations that were begun before the slice count, as the runtime may not have looked at them", async (loop) => {
  using operation = new PendingOperation();
  operation.begin();
  await loop.slice();
  assertEquals(loop.waitsUs, [0, 0]);
});

test("TurnLoop: the reactor ends a slice", async (loop) => {
  loop.onTurn = () => {
    if (loop.waitsUs.length === 5) loop.endSlice();
  };
  await loop.slice();
  assertEquals(loop.waitsUs.length, 5);
});

test("TurnLoop: where much comes, a slice takes 2 ms", async (loop) => {
  loop.onTurn = () => {
    nowMs += 0.5;
    loop.atHand = 20;
  };
  assertEquals(await loop.slice(), 2);
});
