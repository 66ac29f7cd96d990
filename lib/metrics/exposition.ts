/**
 * Families as text: the Prometheus text format 0.0.4 and OpenMetrics 1.0. Families are sorted by name; samples stay in
 * the order in which their family gives them. So two scrapes differ in their values only.
 *
 * @module
 */

import type { ExpositionFormat } from "./exposition_format.ts";
import type { Family, FamilyType, SampleSink } from "./family.ts";
import type { HistogramSnapshot } from "./metric_values.ts";
import type { Labels } from "./labels.ts";

/** A fixed set of families; their samples may come and go. */
export class Exposition {
  /** Sorted by name. */
  readonly families: readonly Family[];

  /** @throws {TypeError} When a name is used twice, also by a sample (`x_count`) of another family. */
  constructor(families: readonly Family[]) {
    this.families = [...families].sort((one, other) => one.name < other.name ? -1 : 1);
    checkClashes(this.families);
  }

  /**
   * The text of all samples, with their current values.
   *
   * @throws {TypeError} When a family gives a sample that its type does not have.
   *
   * @example
   * ```ts
   * import { Exposition } from "./exposition.ts";
   * import { Family } from "./family.ts";
   * import { Labels } from "./labels.ts";
   *
   * const up = new Family({ name: "up", help: "Whether it is up.", type: "gauge" }, (to) => to.value(Labels.NONE, 1));
   * console.log(new Exposition([up]).write("prometheus"));
   * ```
   */
  write(format: ExpositionFormat): string {
    const writer = new SampleWriter();
    for (const family of this.families) {
      writer.begin(family, format === "openmetrics" ? openMetricsHead(family) : prometheusHead(family));
      family.collect(writer);
    }
    return format === "openmetrics" ? `${writer.text}# EOF\n` : writer.text;
  }
}

function checkClashes(families: readonly Family[]): void {
  const taken = new Map<string, Family>();
  for (const family of families) {
    for (const name of new Set([family.stem, ...family.sampleNames])) {
      const other = taken.get(name);
      if (other !== undefined) {
        throw new TypeError(`Cannot expose the family "${family.name}": "${name}" belongs to "${other.name}" already`);
      }
      taken.set(name, family);
    }
  }
}

/** The older format has no type `info`. */
const PROMETHEUS_TYPES: Readonly<Record<FamilyType, string>> = {
  ...{ counter: "counter", gauge: "gauge", histogram: "histogram", info: "gauge" },
};

function prometheusHead({ name, help, type }: Family): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${PROMETHEUS_TYPES[type]}\n`;
}

function openMetricsHead({ stem, help, type, unit }: Family): string {
  const unitLine = unit === undefined ? "" : `# UNIT ${stem} ${unit}\n`;
  return `# TYPE ${stem} ${type}\n${unitLine}# HELP ${stem} ${escapeHelp(help).replaceAll('"', '\\"')}\n`;
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Writes the samples of the families in turn. */
class SampleWriter implements SampleSink {
  /** The text written so far. */
  text = "";
  #family: Family | undefined;
  #name = "";
  #bounds: readonly number[] | undefined;
  #boundTexts: readonly string[] = [];

  /** Begins a family: the following samples belong to it. */
  begin(family: Family, head: string): void {
    this.#family = family;
    this.#name = family.name;
    this.text += head;
  }

  value(labels: Labels, value: number): void {
    this.#check("a value", this.#family?.type !== "histogram");
    const { text } = labels;
    this.text += text === "" ? `${this.#name} ${numberText(value)}\n` : `${this.#name}{${text}} ${numberText(value)}\n`;
  }

  histogram(labels: Labels, { bounds, counts, sum }: HistogramSnapshot): void {
    this.#check("a histogram", this.#family?.type === "histogram");
    if (bounds !== this.#bounds) {
      this.#bounds = bounds;
      this.#boundTexts = [...bounds.map(boundText), "+Inf"];
    }
    const name = this.#name;
    const bucketStart = `${name}_bucket{${labels.text}${labels.text === "" ? "" : ","}le="`;
    const braced = labels.text === "" ? "" : `{${labels.text}}`;
    let written = "";
    let count = 0;
    for (let index = 0; index < this.#boundTexts.length; index++) {
      count += counts[index];
      written += `${bucketStart}${this.#boundTexts[index]}"} ${count}\n`;
    }
    this.text += `${written}${name}_sum${braced} ${numberText(sum)}\n${name}_count${braced} ${count}\n`;
  }

  #check(what: string, fits: boolean): void {
    if (fits) return;
    throw new TypeError(`Cannot expose ${what} in the family "${this.#name}": its type is ${this.#family?.type}`);
  }
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

/**
 * A bound in the canonical form of OpenMetrics, in both formats: otherwise the label of a series would depend on the
 * format.
 */
function boundText(bound: number): string {
  return Number.isInteger(bound) && Math.abs(bound) < 1e21 ? `${bound}.0` : String(bound);
}
