/**
 * The check that no sample is exposed twice. It costs memory for every sample: not for a scrape.
 *
 * @module
 */

import type { Family, SampleSink } from "../../lib/metrics/family.ts";
import type { Labels } from "../../lib/metrics/labels.ts";

/**
 * Collects every sample once.
 *
 * @throws {TypeError} When two samples of a family have the same labels, in whatever order.
 */
export function checkDistinct(families: readonly Family[]): void {
  for (const family of families) {
    const seen = new Set<string>();
    const take = (labels: Labels) => {
      const key = (labels.text.match(/\w+="(?:[^"\\]|\\.)*"/gs) ?? []).sort().join(",");
      if (seen.has(key)) {
        throw new TypeError(`Cannot expose ${family.name}{${labels.text}}: the sample is there already`);
      }
      seen.add(key);
    };
    const sink: SampleSink = { value: take, histogram: take };
    family.collect(sink);
  }
}
