/**
 * The metrics of one kind of owner (a route, an upstream), declared once as data. The fields in memory, their sum over
 * workers, the samples that are scraped and the snapshot of the management API follow from the declaration, so that a
 * new metric takes its declaration and the call that counts the event.
 *
 * @module
 */

import { Family, type SampleSink } from "./family.ts";
import type { Labels } from "./labels.ts";
import { Metric, type MetricDeclaration } from "./metric.ts";
import type { TakeMetricFields } from "./metric_fields.ts";
import { type HistogramSnapshot, MetricValues } from "./metric_values.ts";

/** Declarations by the keys that snapshots have. */
export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;

/** The metrics, by their keys. */
export type MetricsOf<D extends MetricDeclarations> = { readonly [K in keyof D]: Metric<D[K]["kind"]> };

/** A snapshot: counts by the values of the last label, where there are labels. */
export type SnapshotOf<D extends MetricDeclarations> = {
  readonly [K in keyof D]: D[K]["kind"] extends "histogram" ? HistogramSnapshot
    : D[K] extends { labels: readonly [...unknown[], readonly [string, readonly (infer V extends string)[]]] }
      ? Readonly<Record<V, number>>
    : number;
};

/** The values of the metrics of a set. */
export type ValuesOf<Set extends MetricSet<MetricDeclarations>> = MetricValues<SnapshotOf<Set["declarations"]>>;

/** An owner of metrics, such as a route. */
export interface MeasuredThing {
  readonly values: MetricValues<unknown>;
  /** Its labels. The same object each time, because its combinations with other labels are cached in it. */
  readonly labels: Labels;
  /** The worker whose values are read; without it, the sum over all workers. */
  readonly worker?: number;
  /** Groups of metrics that it has besides those without a group. */
  readonly groups?: readonly string[];
}

/** Declared metrics. Immutable. */
export class MetricSet<const D extends MetricDeclarations> {
  readonly declarations: D;
  /** The metrics, to count with. */
  readonly metrics: MetricsOf<D>;
  /** Number of fields of one owner. */
  readonly size: number;
  /** The same, in the order of the declarations. */
  readonly list: readonly Metric[];

  /**
   * @throws {RangeError} When the bounds of a histogram are not finite and ascending.
   *
   * @example
   * ```ts
   * import { localMetricFields } from "./metric_fields.ts";
   * import { MetricSet } from "./metric_set.ts";
   *
   * const POOLS = new MetricSet({
   *   picks: { kind: "counter", name: "pool_picks_total", help: "Upstreams that were chosen." },
   * });
   * const values = POOLS.take(localMetricFields(), "pool api");
   * values.add(POOLS.metrics.picks);
   * console.log(values.snapshot().picks); // 1
   * ```
   */
  constructor(declarations: D) {
    this.declarations = declarations;
    let at = 0;
    const entries = Object.entries(declarations).map(([key, declaration]) => {
      const metric = new Metric(key, declaration, at);
      at += metric.size;
      return [key, metric] as const;
    });
    this.metrics = Object.fromEntries(entries) as MetricsOf<D>;
    this.size = at;
    this.list = entries.map(([, metric]) => metric);
  }

  /** The values of one owner; `name` is unique among all owners of all sets. */
  take(take: TakeMetricFields, name: string): MetricValues<SnapshotOf<D>> {
    return new MetricValues(this.list, take(this.size, name));
  }

  /**
   * The families of all metrics that have a name.
   *
   * @param things Called at each scrape, so that owners may be added and removed.
   * @throws {TypeError} When a name does not fit its kind and unit.
   */
  families(things: () => Iterable<MeasuredThing>): Family[] {
    return this.list.flatMap((metric) => {
      const { name, help, unit, group } = metric.declaration;
      if (name === undefined) return [];
      return new Family({ name, help, type: metric.kind, ...(unit === undefined ? {} : { unit }) }, (sink) => {
        for (const thing of things()) {
          if (group === undefined || thing.groups?.includes(group) === true) collect(metric, thing, sink);
        }
      });
    });
  }
}

function collect(metric: Metric, { values, labels, worker }: MeasuredThing, sink: SampleSink): void {
  if (metric.kind === "histogram") {
    return sink.histogram(labels, values.histogram(metric as Metric<"histogram">, worker));
  }
  const { labels: own, hideZero = false } = metric.declaration;
  if (own === undefined) return sample(labels, values.value(metric, 0, worker), hideZero === true, sink);
  const last = metric.lastValues;
  const combined = labels.combined(own);
  for (let index = 0; index < combined.length; index++) {
    const hides = typeof hideZero === "boolean" ? hideZero : hideZero.includes(last[index % last.length]);
    sample(combined[index], values.value(metric, index, worker), hides, sink);
  }
}

function sample(labels: Labels, value: number, hidesZero: boolean, sink: SampleSink): void {
  if (value !== 0 || !hidesZero) sink.value(labels, value);
}
