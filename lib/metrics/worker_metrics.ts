/**
 * The metrics that only a worker itself can measure: its heap, and the delay of its event loop. Each worker publishes
 * them once a second, so that any worker that is scraped has those of all.
 *
 * @module
 */

import type { Family } from "./family.ts";
import { Labels } from "./labels.ts";
import { LoopDelay, type LoopDelayOptions } from "./loop_delay.ts";
import type { TakeMetricFields } from "./metric_fields.ts";
import { MetricSet, type SnapshotOf } from "./metric_set.ts";

const METRICS = new MetricSet({
  heapUsedBytes: {
    ...{ kind: "gauge", name: "bws_worker_heap_used_bytes", unit: "bytes" },
    help: "JavaScript heap in use, by worker.",
  },
  heapTotalBytes: {
    ...{ kind: "gauge", name: "bws_worker_heap_total_bytes", unit: "bytes" },
    help: "JavaScript heap reserved, by worker.",
  },
  loopDelayP50Seconds: {
    ...{ kind: "gauge", name: "bws_worker_loop_delay_p50_seconds", unit: "seconds" },
    help: "Median delay of the event loop over the last seconds, by worker.",
  },
  loopDelayP99Seconds: {
    ...{ kind: "gauge", name: "bws_worker_loop_delay_p99_seconds", unit: "seconds" },
    help: "99th percentile delay of the event loop over the last seconds, by worker.",
  },
  loopDelayMaxSeconds: {
    ...{ kind: "gauge", name: "bws_worker_loop_delay_max_seconds", unit: "seconds" },
    help: "Greatest delay of the event loop over the last seconds, by worker.",
  },
});

const { heapUsedBytes, heapTotalBytes, loopDelayP50Seconds, loopDelayP99Seconds, loopDelayMaxSeconds } =
  METRICS.metrics;

/** One worker's values, at most a second old. */
export interface WorkerSnapshot extends SnapshotOf<typeof METRICS.declarations> {
  /** Index of the worker among all. */
  readonly worker: number;
}

const PUBLISH_MS = 1000;

/** Owned by its worker, for as long as the worker runs. Its timer does not keep the process alive. */
export class WorkerMetrics {
  readonly #values;
  readonly #delay: LoopDelay;
  readonly #timer: ReturnType<typeof setInterval>;
  #publishedMs: number;

  /** Publishes from now on. */
  constructor(take: TakeMetricFields, options?: LoopDelayOptions) {
    this.#values = METRICS.take(take, "bws_worker");
    this.#publishedMs = performance.now();
    this.#delay = new LoopDelay(this.#publishedMs, options);
    this.#timer = setInterval(() => this.#tick(performance.now()), this.#delay.periodMs);
    Deno.unrefTimer(this.#timer as unknown as number);
    this.publish();
  }

  /** Publishes this worker's current values. */
  publish(): void {
    const values = this.#values;
    const { heapUsed, heapTotal } = Deno.memoryUsage();
    const { p50Seconds, p99Seconds, maxSeconds } = this.#delay.read();
    values.set(heapUsedBytes, heapUsed);
    values.set(heapTotalBytes, heapTotal);
    values.set(loopDelayP50Seconds, p50Seconds);
    values.set(loopDelayP99Seconds, p99Seconds);
    values.set(loopDelayMaxSeconds, maxSeconds);
  }

  /** The values of every worker that runs. */
  snapshots(): WorkerSnapshot[] {
    return this.#running().map((worker) => ({ worker, ...this.#values.snapshot(worker) }));
  }

  /**
   * The families `bws_worker_…`.
   *
   * @param main Index of the supervisor's thread, which serves no requests: its label is "main".
   */
  families(main: number | undefined): Family[] {
    const labels = Array.from(
      { length: this.#values.workerCount },
      (_, worker) => Labels.of({ worker: worker === main ? "main" : String(worker) }),
    );
    return METRICS.families(() =>
      this.#running().map((worker) => ({ values: this.#values, labels: labels[worker], worker }))
    );
  }

  /** Resets the values of a worker that has ended. */
  clear(worker: number): void {
    this.#values.clearGauges(worker);
  }

  /** Stops the timer and resets this worker's values. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#values.clearGauges();
  }

  // A worker without a heap has fields but has not started yet.
  #running(): number[] {
    return Array.from({ length: this.#values.workerCount }, (_, worker) => worker)
      .filter((worker) => this.#values.value(heapTotalBytes, 0, worker) !== 0);
  }

  #tick(nowMs: number): void {
    this.#delay.sample(nowMs);
    if (nowMs - this.#publishedMs < PUBLISH_MS) return;
    this.#publishedMs = nowMs;
    this.publish();
  }
}
