/**
 * The labels of a sample, checked and escaped once when they are made, not at each scrape.
 *
 * @module
 */

/** Labels by name, each with all values that it may have. */
export type LabelValues = readonly (readonly [name: string, values: readonly string[]])[];

/** An immutable list of labels. */
export class Labels {
  /** No labels. */
  static readonly NONE: Labels = new Labels([], []);
  /** The text between the braces: `pool="api",upstream="http://10.0.0.1"`. */
  readonly text: string;
  readonly #pairs: readonly string[];
  readonly #names: readonly string[];
  #combined: Map<LabelValues, readonly Labels[]> | undefined;

  private constructor(pairs: readonly string[], names: readonly string[]) {
    this.text = pairs.join(",");
    this.#pairs = pairs;
    this.#names = names;
  }

  /**
   * Makes labels.
   *
   * @param values Value of each label by name, any text; their order stays.
   * @throws {TypeError} When a name is malformed or reserved.
   *
   * @example
   * ```ts
   * import { Labels } from "./labels.ts";
   *
   * console.log(Labels.of({ pool: "api" }).text); // pool="api"
   * ```
   */
  static of(values: Readonly<Record<string, string>>): Labels {
    const names = Object.keys(values);
    for (const name of names) checkName(name);
    return new Labels(names.map((name) => `${name}="${escapeLabelValue(values[name])}"`), names);
  }

  /**
   * These labels and then the others.
   *
   * @throws {TypeError} When a label is in both.
   */
  with(other: Labels): Labels {
    if (this.#names.length === 0) return other;
    if (other.#names.length === 0) return this;
    for (const name of other.#names) {
      if (this.#names.includes(name)) throw new TypeError(`Cannot join labels: "${name}" is in both`);
    }
    return new Labels(this.#pairs.concat(other.#pairs), this.#names.concat(other.#names));
  }

  /**
   * These labels with each combination of `others`, the last of which varies fastest. Cached for the same object.
   *
   * @throws {TypeError} When a label is in both.
   */
  combined(others: LabelValues): readonly Labels[] {
    const before = this.#combined?.get(others);
    if (before !== undefined) return before;
    let combined: Labels[] = [this];
    for (const [name, values] of others) {
      combined = combined.flatMap((labels) => values.map((value) => labels.with(Labels.of({ [name]: value }))));
    }
    (this.#combined ??= new Map()).set(others, combined);
    return combined;
  }
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Names that the exposition or the scraper sets. */
const RESERVED = /^(?:__.*|le|quantile)$/;

function checkName(name: string): void {
  if (!NAME.test(name)) throw new TypeError(`Cannot name a label "${name}": expected letters, digits and "_"`);
  if (RESERVED.test(name)) throw new TypeError(`Cannot name a label "${name}": the name is reserved`);
}

function escapeLabelValue(value: string): string {
  // A lone surrogate becomes U+FFFD in UTF-8 anyway; replaced here, duplicates are detected.
  return value.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
