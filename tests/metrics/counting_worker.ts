/**
 * A worker that counts in shared slots, for the test of exactness.
 *
 * @module
 */

import { Counter } from "../../lib/metrics/counter.ts";
import { Histogram } from "../../lib/metrics/histogram.ts";
import type { Numbers } from "../../lib/metrics/numbers.ts";
import { StatusCounters } from "../../lib/metrics/status_counters.ts";

/** What a worker is told. */
export interface CountingOrder {
  memory: SharedArrayBuffer;
  /** One cell: halfway a worker waits until it is not zero, so that the reader is sure to see it at work. */
  gate: SharedArrayBuffer;
  /** Which of the workers it is. */
  index: number;
  workers: number;
  /** Exchanges that it counts. */
  exchanges: number;
}

/** Bounds of the histogram. */
export const BOUNDS: readonly number[] = [0.25, 0.5];
/** Where each metric's slots begin. */
export const COUNTER_AT = 0;
export const STATUS_AT = COUNTER_AT + Counter.SLOTS;
export const HISTOGRAM_AT = STATUS_AT + StatusCounters.SLOTS;
/** Slots of one worker. */
export const SLOTS = HISTOGRAM_AT + BOUNDS.length + 2;
export const STATUSES: readonly number[] = [200, 304, 404, 502];
/** Sums of these are exact, so that a lost addition cannot hide in rounding. */
export const DURATIONS: readonly number[] = [0.125, 0.5, 0.75];

/** The slots in the memory that all workers have. */
export function sharedNumbers(memory: SharedArrayBuffer, workers: number, index: number): Numbers {
  const all = Array.from({ length: workers }, (_, worker) => new Float64Array(memory, worker * SLOTS * 8, SLOTS));
  return { own: all[index], all };
}

const scope = globalThis as unknown as {
  name?: string;
  onmessage?: (event: MessageEvent<CountingOrder>) => void;
  postMessage?: (said: string) => void;
};

if (scope.name === "counting_worker") {
  scope.onmessage = ({ data: { memory, gate, workers, index, exchanges } }) => {
    const numbers = sharedNumbers(memory, workers, index);
    const counter = new Counter(numbers, COUNTER_AT);
    const answers = new StatusCounters(numbers, STATUS_AT);
    const durations = new Histogram(numbers, BOUNDS, HISTOGRAM_AT);
    for (let n = 0; n < exchanges; n++) {
      if (n === exchanges / 2) Atomics.wait(new Int32Array(gate), 0, 0);
      counter.add(n % 7 + 1);
      answers.add(STATUSES[n % STATUSES.length]);
      durations.observe(DURATIONS[n % DURATIONS.length]);
    }
    scope.postMessage?.("done");
  };
}
