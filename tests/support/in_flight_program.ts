/**
 * A thread that counts requests in flight in memory that others count in, too, until it is told to stop. It reports how many it saw at a time.
 *
 * @module
 */

import { InFlightStore } from "../../lib/features/rate_limit/in_flight_store.ts";
import { SharedMemoryState, type SharedStateTable } from "../../lib/state/shared_memory_state.ts";
import type { WorkerPlace } from "../../lib/state/worker_place.ts";

/** What the thread is given. */
export interface InFlightTask {
  readonly table: SharedStateTable;
  readonly worker: WorkerPlace;
  /** Counts of what is really in flight, by key. */
  readonly real: Int32Array;
  readonly most: number;
  readonly rounds: number;
}

const scope = self as unknown as Worker;
scope.onmessage = ({ data: { table, worker, real, most, rounds } }: MessageEvent<InFlightTask>) => {
  const store = new InFlightStore(16, new SharedMemoryState(worker, table), { name: "x", worker });
  let above = 0;
  let passed = 0;
  const held: { key: number; slot: Disposable }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (held.length > 0 && Math.random() < 0.5) {
      const [{ key, slot }] = held.splice(Math.floor(Math.random() * held.length), 1);
      Atomics.sub(real, key, 1);
      slot[Symbol.dispose]();
      continue;
    }
    const key = Math.floor(Math.random() * real.length);
    const slot = store.begin(`key ${key}`, most);
    if (!slot) continue;
    passed++;
    if (Atomics.add(real, key, 1) >= most) above++;
    held.push({ key, slot });
  }
  // What is still held is what a worker has that dies.
  for (const { key } of held) Atomics.sub(real, key, 1);
  scope.postMessage({ above, passed });
};
