/**
 * A family: all samples of one name, and the function that collects them at a scrape. Values are collected only then,
 * so nothing has to be unregistered when an upstream is removed or a generation ends.
 *
 * @module
 */

import type { HistogramSnapshot } from "./metric_values.ts";
import type { Labels } from "./labels.ts";

/** An `info` has its facts in its labels; its value is always 1. */
export type FamilyType = "counter" | "gauge" | "histogram" | "info";

/** Takes the samples of a family at a scrape. */
export interface SampleSink {
  /** One sample of a counter, a gauge or an info. */
  value(labels: Labels, value: number): void;
  /** One histogram. */
  histogram(labels: Labels, histogram: HistogramSnapshot): void;
}

/** What a family is. */
export interface FamilyOptions {
  /** Name in the exposition: a counter's ends with `_total`, an info's with `_info`. */
  name: string;
  /** One sentence. */
  help: string;
  type: FamilyType;
  /** Base unit (`seconds`, `bytes`), with which the name must end. */
  unit?: string;
}

/** One family. */
export class Family {
  readonly name: string;
  /** The name without `_total` or `_info`: what OpenMetrics calls the family. */
  readonly stem: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly unit: string | undefined;
  /** Gives every sample to `sink`, in an order that stays the same. Called at each scrape. */
  readonly collect: (sink: SampleSink) => void;

  /**
   * @param collect As the property.
   * @throws {TypeError} When the name does not fit its type and unit, or a text is missing.
   *
   * @example
   * ```ts
   * import { Family } from "./family.ts";
   * import { Labels } from "./labels.ts";
   *
   * new Family(
   *   { name: "bws_memory_bytes", help: "Memory in use.", type: "gauge", unit: "bytes" },
   *   (sink) => sink.value(Labels.NONE, Deno.memoryUsage().rss),
   * );
   * ```
   */
  constructor(options: FamilyOptions, collect: (sink: SampleSink) => void) {
    const { name, help, type, unit } = options;
    const ending = ENDINGS[type];
    this.name = name;
    this.stem = ending !== "" && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
    this.help = help;
    this.type = type;
    this.unit = unit;
    this.collect = collect;
    const fault = faultOf(this);
    if (fault !== undefined) throw new TypeError(`Cannot make the family "${name}": ${fault}`);
  }

  /** Every name that its samples have, or may have, in one of the formats. */
  get sampleNames(): string[] {
    if (this.type === "histogram") return ["_bucket", "_sum", "_count", "_created"].map((end) => this.stem + end);
    return this.type === "counter" ? [this.name, `${this.stem}_created`] : [this.name];
  }
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const ENDINGS: Readonly<Record<FamilyType, string>> = { counter: "_total", gauge: "", histogram: "", info: "_info" };
/** Endings that OpenMetrics reserves. */
const RESERVED_ENDING = /_(?:total|created|bucket|count|sum|info)$/;

function faultOf({ name, stem, help, type, unit }: Family): string | undefined {
  // No ":", which is reserved for recording rules.
  if (!NAME.test(name)) return `expected letters, digits and "_"`;
  if (ENDINGS[type] !== "" && stem === name) return `the name of type ${type} ends with "${ENDINGS[type]}"`;
  if (!NAME.test(stem)) return `"${stem}" is no name`;
  if (RESERVED_ENDING.test(stem)) return `"${stem}" ends with what is reserved`;
  if (help.trim() === "") return "it has no help";
  if (unit === undefined) return undefined;
  if (type === "info") return "an info has no unit";
  if (!NAME.test(unit)) return `"${unit}" is no unit`;
  return stem.endsWith(`_${unit}`) ? undefined : `"${stem}" does not end with its unit, "_${unit}"`;
}
