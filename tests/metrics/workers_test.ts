// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { within } from "../support/condition.ts";
import * as counting from "./counting_worker.ts";

const WORKERS = 3;
/** A multiple of all the cycles, so that the expected counts are whole. */
const EXCHANGES = 7 * 4 * 3 * 10_000;

Deno.test("metrics are exact across workers that count at the same time, and never run backwards", async () => {
  const memory = new SharedArrayBuffer((WORKERS + 1) * counting.SET.size * 8);
  // This thread is a worker too: the last one.
  const values = counting.sharedValues(memory, WORKERS + 1, WORKERS);
  const { amount, durations } = counting.SET.metrics;
  const gate = new SharedArrayBuffer(4);
  const workers: Worker[] = [];
  try {
    const done = Array.from({ length: WORKERS }, (_, index) => {
      const worker = new Worker(new URL("counting_worker.ts", import.meta.url), {
        ...{ type: "module", name: "counting_worker" },
      });
      workers.push(worker);
      const order: counting.CountingOrder = { memory, gate, index, workers: WORKERS + 1, exchanges: EXCHANGES };
      worker.postMessage(order);
      return new Promise<void>((resolve, reject) => {
        worker.onmessage = () => resolve();
        worker.onerror = (event) => reject(new Error(event.message));
      });
    });
    let running = true;
    const all = within(20_000, "the workers", Promise.all(done)).finally(() => running = false);
    let last = 0;
    let lastCount = 0;
    let seenHalf = false;
    let own = 0;
    while (running) {
      values.add(amount);
      own++;
      const value = values.value(amount);
      const count = values.histogram(durations).counts.reduce((sum, each) => sum + each, 0);
      assert(value > last && count >= lastCount && Number.isInteger(value) && Number.isInteger(count));
      // Every worker waits halfway until this was seen: a count in the middle of their work.
      if (count === WORKERS * EXCHANGES / 2 && !seenHalf) {
        seenHalf = true;
        Atomics.store(new Int32Array(gate), 0, 1);
        Atomics.notify(new Int32Array(gate), 0);
      }
      [last, lastCount] = [value, count];
      if (own % 1000 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    await all;
    assert(seenHalf, "the reader never saw the workers in the middle of their work");
    const each = WORKERS * EXCHANGES;
    assertEquals(values.value(amount), each * 4 + own);
    assertEquals(Object.values(values.snapshot().answers), [0, 0, each / 4, each / 4, each / 4, each / 4]);
    assertEquals(values.histogram(durations), {
      bounds: counting.BOUNDS,
      counts: [each / 3, each / 3, each / 3],
      sum: each / 3 * (0.125 + 0.5 + 0.75),
    });
  } finally {
    for (const worker of workers) worker.terminate();
  }
});
