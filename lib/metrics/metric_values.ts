/**
 * The values of the metrics of one owner, such as a route: written by this worker, read as the sum over all workers.
 *
 * @module
 */

import type { Metric } from "./metric.ts";
import { type MetricFields, sumAt } from "./metric_fields.ts";

/** The state of a histogram at one moment. */
export interface HistogramSnapshot {
  /** Upper bounds of the buckets, inclusive, ascending; one more bucket, the last, has none. */
  readonly bounds: readonly number[];
  /** Observations in each bucket, not cumulative: one more than there are bounds. */
  readonly counts: readonly number[];
  /** Sum of all observations. */
  readonly sum: number;
}

/** The value of a metric at one moment; one with labels has a value for each value of its last label. */
export type MetricSnapshot = number | HistogramSnapshot | Readonly<Record<string, number>>;

/** Counts in fields that outlive it. `Snapshot` is the type of {@linkcode MetricValues.snapshot}. */
export class MetricValues<Snapshot = Readonly<Record<string, MetricSnapshot>>> {
  /** This worker's fields begin at `#first` in `#memory`. */
  readonly #memory: Float64Array;
  readonly #first: number;
  readonly #metrics: readonly Metric[];
  readonly #fields: MetricFields;

  /** @param metrics The metrics of the set that the fields were taken for. */
  constructor(metrics: readonly Metric[], fields: MetricFields) {
    this.#memory = fields.memory ?? fields.own;
    this.#first = fields.at ?? 0;
    this.#metrics = metrics;
    this.#fields = fields;
  }

  /**
   * Adds `amount`. A value that is not above zero is ignored: NaN would make the sum NaN for ever.
   *
   * @param index Which of its fields, where it has labels.
   */
  add(counter: Metric<"counter">, amount = 1, index = 0): void {
    if (amount > 0) this.#memory[this.#first + counter.at + index] += amount;
  }

  /** Changes this worker's part of a gauge. */
  change(gauge: Metric<"gauge">, by: number, index = 0): void {
    this.#memory[this.#first + gauge.at + index] += by;
  }

  /** Replaces this worker's part of a gauge. */
  set(gauge: Metric<"gauge">, value: number): void {
    this.#memory[this.#first + gauge.at] = value;
  }

  /** Counts one observation. A value that is not above zero counts as zero. */
  observe(histogram: Metric<"histogram">, value: number): void {
    const { at, boundNumbers: bounds } = histogram;
    const observed = value > 0 ? value : 0;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle] < observed) low = middle + 1;
      else high = middle;
    }
    const first = this.#first + at;
    this.#memory[first] += observed;
    this.#memory[first + 1 + low] += 1;
  }

  /** Number of workers whose values are summed. */
  get workerCount(): number {
    return this.#fields.all.length;
  }

  /**
   * The value of a counter or a gauge.
   *
   * @param index Which of its fields, where it has labels.
   * @param worker Index of the worker; the sum over all without it. It is 0 in a worker that does not exist.
   */
  value(metric: Metric, index = 0, worker?: number): number {
    return this.#at(metric.at + index, worker);
  }

  /**
   * The histogram of all workers, or of one. The count is not stored but added up from the buckets, so that the two
   * agree in every snapshot, also while another worker writes; the sum may be one observation ahead or behind.
   */
  histogram(metric: Metric<"histogram">, worker?: number): HistogramSnapshot {
    const { at, bounds } = metric;
    const counts: number[] = [];
    for (let index = 0; index <= bounds.length; index++) counts.push(this.#at(at + 1 + index, worker));
    return { bounds, counts, sum: this.#at(at, worker) };
  }

  /** All values by the keys of their declarations, of all workers or of one. */
  snapshot(worker?: number): Snapshot {
    const taken: Record<string, MetricSnapshot> = {};
    for (const metric of this.#metrics) taken[metric.key] = this.#snapshotOf(metric, worker);
    return taken as Snapshot;
  }

  /** Sets the gauges of a worker that has ended, or this worker's, to zero; counters stay. */
  clearGauges(worker?: number): void {
    const fields = worker === undefined ? this.#fields.own : this.#fields.all[worker];
    for (const { kind, at, size } of this.#metrics) if (kind === "gauge") fields.fill(0, at, at + size);
  }

  #at(index: number, worker: number | undefined): number {
    return worker === undefined ? sumAt(this.#fields, index) : this.#fields.all[worker]?.[index] ?? 0;
  }

  #snapshotOf(metric: Metric, worker: number | undefined): MetricSnapshot {
    if (metric.kind === "histogram") return this.histogram(metric as Metric<"histogram">, worker);
    const values = metric.lastValues;
    if (values.length === 0) return this.#at(metric.at, worker);
    const sums: Record<string, number> = {};
    for (const value of values) sums[value] = 0;
    for (let index = 0; index < metric.size; index++) {
      sums[values[index % values.length]] += this.#at(metric.at + index, worker);
    }
    return sums;
  }
}
