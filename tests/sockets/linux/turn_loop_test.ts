// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { PendingOperation } from "../../support/pending_operation.ts";
import { TurnLoop } from "../../../lib/sockets/linux/turn_loop.ts";
import { sharedTime } from "../../../lib/state/shared_time.ts";
import { unseenWork } from "../../../lib/state/unseen_work.ts";

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

function test(name: string, run: (loop: TestLoop, elapsedMs: () => number) => Promise<void>): void {
  Deno.test(name, async () => {
    nowMs = START_MS;
    sharedTime.readBy(() => nowMs);
    unseenWork.embedded = false;
    const beforeMs = performance.now();
    try {
      const loop = new TestLoop();
      // The first slice finds out what the runtime tells, by a timer of a millisecond, which is over before the one set here.
      await loop.slice();
      await new Promise((resolve) => setTimeout(resolve, 2));
      loop.waitsUs.length = 0;
      loop.atHand = 1;
      // For the loop a timer is due later by the time that has passed, as its own stands still.
      await run(loop, () => performance.now() - beforeMs);
    } finally {
      sharedTime.readBy(() => performance.now());
      unseenWork.embedded = true;
    }
  });
}

test("TurnLoop: where little comes and the runtime has nothing to do, a slice takes 50 ms", async (loop) => {
  assertEquals(await loop.slice(), 50);
});

test("TurnLoop: a slice ends when a timer is due, and the timer runs then", async (loop, elapsedMs) => {
  const fired = new Promise((resolve) => setTimeout(resolve, 7));
  const latestMs = elapsedMs() + 7 + 1;
  const tookMs = await loop.slice();
  assert(tookMs > 6 && tookMs <= latestMs, `${tookMs} ms, at most ${latestMs}`);
  await fired;
});

test("TurnLoop: a timer that is set within a slice ends it too", async (loop, elapsedMs) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latestMs = 0;
  loop.onTurn = () => {
    if (loop.waitsUs.length !== 5) return;
    timer = setTimeout(() => {}, 1);
    latestMs = elapsedMs() + 1 + 1;
  };
  const tookMs = await loop.slice();
  assert(tookMs <= Math.max(5, latestMs), `${tookMs} ms, at most ${latestMs}`);
  clearTimeout(timer);
});

test("TurnLoop: in the thread of another program, a slice takes 4 ms", async (loop) => {
  unseenWork.embedded = true;
  assertEquals(await loop.slice(), 4);
});

test("TurnLoop: while middleware has a request, a slice takes 4 ms", async (loop) => {
  unseenWork.pending++;
  try {
    assertEquals(await loop.slice(), 4);
  } finally {
    unseenWork.pending--;
  }
});

test("TurnLoop: once an operation of the runtime was begun, no turn waits any more", async (loop) => {
  using operation = new PendingOperation();
  loop.onTurn = () => {
    if (loop.waitsUs.length === 3) operation.begin();
  };
  await loop.slice();
  assertEquals(loop.waitsUs.slice(3), [0]);
  assert(loop.waitsUs[2] > 0);
  // The runtime has had its turn.
  loop.atHand = 1;
  await loop.slice();
  assert(loop.waitsUs.slice(4).some((waitUs) => waitUs > 0));
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
    loop.atHand = 30;
  };
  assertEquals(await loop.slice(), 2);
});

test("TurnLoop: what one connection brings is little", async (loop) => {
  loop.onTurn = () => {
    nowMs += 0.125;
    loop.atHand = 4;
  };
  assertEquals(await loop.slice(), 50);
});

test("TurnLoop: an operation that was begun has its turn within 2 ms, though events follow each other", async (loop) => {
  using operation = new PendingOperation();
  let begunMs = 0;
  loop.onTurn = () => {
    nowMs += 0.125;
    loop.atHand = 4;
    if (loop.waitsUs.length !== 100) return;
    operation.begin();
    begunMs = nowMs;
  };
  await loop.slice();
  assertEquals(nowMs - begunMs, 0);
});
