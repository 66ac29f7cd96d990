/**
 * One declared metric: its name, its kind, and the place of its fields in its set. Events are counted with this object
 * instead of a name, so an event costs an addition and no look-up.
 *
 * @module
 */

import type { LabelValues } from "./labels.ts";

/** A counter only grows, a gauge goes up and down, a histogram counts observations by their size. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** Upper bounds in seconds, from a file out of memory to a long poll. */
export const DURATION_BOUNDS: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
  ...[0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
];

/** The declaration of a metric: its fields, its samples and its place in snapshots follow from it. */
export interface MetricDeclaration {
  readonly kind: MetricKind;
  /** Name of its samples, by the rules of Prometheus; without one it is in snapshots only. */
  readonly name?: string;
  /** One sentence. */
  readonly help: string;
  /** Base unit (`seconds`, `bytes`), with which the name must end. */
  readonly unit?: string;
  /** Labels with all their values; there is a field for each combination. Not for histograms. */
  readonly labels?: LabelValues;
  /**
   * Whether samples that are zero are left out: all of them, or those with these values of the last label.
   *
   * @default {false}
   */
  readonly hideZero?: boolean | readonly string[];
  /** Only owners in this group have samples of it, such as routes with WebSockets. */
  readonly group?: string;
  /**
   * Upper bounds of a histogram's buckets, inclusive, ascending.
   *
   * @default {DURATION_BOUNDS}
   */
  readonly bounds?: readonly number[];
}

/** A declared metric. Immutable; made by its set. */
export class Metric<K extends MetricKind = MetricKind> {
  /** Its name in snapshots. */
  readonly key: string;
  readonly kind: K;
  /** As it was declared. */
  readonly declaration: MetricDeclaration;
  /** Index of its first field. */
  readonly at: number;
  /**
   * How many fields it has. A histogram has one for the sum, one for each bucket, one for the bucket without a bound: the
   * buckets that count most lie next to the sum.
   */
  readonly size: number;
  /** Upper bounds of the buckets; empty where it is no histogram. */
  readonly bounds: readonly number[];
  /** The same, to search in. */
  readonly boundNumbers: Float64Array;

  /** @throws {RangeError} When the bounds are not finite and ascending. */
  constructor(key: string, declaration: MetricDeclaration & { readonly kind: K }, at: number) {
    const { kind, bounds = DURATION_BOUNDS, labels = [] } = declaration;
    if (kind === "histogram") checkBounds(key, bounds);
    this.key = key;
    this.kind = kind;
    this.declaration = declaration;
    this.at = at;
    this.size = kind === "histogram"
      ? bounds.length + 2
      : labels.reduce((product, [, values]) => product * values.length, 1);
    this.bounds = kind === "histogram" ? bounds : [];
    this.boundNumbers = Float64Array.from(this.bounds);
  }

  /** The values of its last label; empty where it has no label. Neighbouring fields differ in it. */
  get lastValues(): readonly string[] {
    return this.declaration.labels?.at(-1)?.[1] ?? [];
  }
}

function checkBounds(key: string, bounds: readonly number[]): void {
  for (const [index, bound] of bounds.entries()) {
    if (Number.isFinite(bound) && (index === 0 || bound > bounds[index - 1])) continue;
    throw new RangeError(
      `Cannot declare the histogram "${key}": bound ${index} is ${bound}, expected finite and ascending bounds`,
    );
  }
}
