/**
 * A worker that counts in shared fields, for the test of exactness.
 *
 * @module
 */

import { MetricSet } from "../../lib/metrics/metric_set.ts";
import { STATUS_CLASSES, statusClassIndex } from "../../lib/metrics/status_class.ts";

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
/** What is counted. */
export const SET = new MetricSet({
  amount: { kind: "counter", help: "Amount." },
  answers: { kind: "counter", help: "Responses.", labels: [["class", STATUS_CLASSES]] },
  durations: { kind: "histogram", help: "Durations.", bounds: BOUNDS },
});
export const STATUSES: readonly number[] = [200, 304, 404, 502];
/** Sums of these are exact, so that a lost addition cannot hide in rounding. */
export const DURATIONS: readonly number[] = [0.125, 0.5, 0.75];

/** The values in the memory that all workers have. */
export function sharedValues(memory: SharedArrayBuffer, workers: number, index: number) {
  const all = Array.from({ length: workers }, (_, worker) => new Float64Array(memory, worker * SET.size * 8, SET.size));
  return SET.take(() => ({ own: all[index], all }), "all");
}

const scope = globalThis as unknown as {
  name?: string;
  onmessage?: (event: MessageEvent<CountingOrder>) => void;
  postMessage?: (said: string) => void;
};

if (scope.name === "counting_worker") {
  scope.onmessage = ({ data: { memory, gate, workers, index, exchanges } }) => {
    const values = sharedValues(memory, workers, index);
    const { amount, answers, durations } = SET.metrics;
    for (let n = 0; n < exchanges; n++) {
      if (n === exchanges / 2) Atomics.wait(new Int32Array(gate), 0, 0);
      values.add(amount, n % 7 + 1);
      values.add(answers, 1, statusClassIndex(STATUSES[n % STATUSES.length]));
      values.observe(durations, DURATIONS[n % DURATIONS.length]);
    }
    scope.postMessage?.("done");
  };
}
