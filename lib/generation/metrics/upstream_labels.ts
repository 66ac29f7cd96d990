/**
 * How upstreams are called in metrics: by their `url`, and where two of a pool have the same one, by their id.
 *
 * @module
 */

import { Labels } from "../../metrics/labels.ts";
import { STATUS_CLASSES } from "../../metrics/status_counters.ts";
import { type FailureClass, STRIKES } from "../../upstream/failure_class.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { UPSTREAM_STATES, type UpstreamState } from "../../upstream/upstream_state.ts";
import type { Generation } from "../generation.ts";
import type { UpstreamMetrics } from "./upstream_metrics.ts";

/** States of a circuit breaker. */
const BREAKER_STATES = ["closed", "open", "half_open"] as const;
/** Kinds of counted connections. */
const CONNECTION_STATES = ["open", "idle"] as const;

/** The labels of one upstream. */
export class UpstreamLabels {
  /** Its name in them. */
  readonly name: string;
  /** Site, pool and upstream. */
  readonly plain: Labels;
  /** With a class of status, in the order of `STATUS_CLASSES`. */
  readonly byClass: readonly Labels[];
  /** With a cause of failure. */
  readonly byCause: readonly (readonly [FailureClass, Labels])[];
  /** With its state. */
  readonly byState: readonly (readonly [UpstreamState, Labels])[];
  /** With a state of its breaker. */
  readonly byBreaker: readonly (readonly [typeof BREAKER_STATES[number], Labels])[];
  /** With a state of connections. */
  readonly byConnection: readonly (readonly [typeof CONNECTION_STATES[number], Labels])[];

  /** Joins them. */
  constructor(site: string, pool: string, name: string) {
    const plain = this.plain = Labels.of({ site, pool, upstream: name });
    const having = <const T extends string>(label: string, values: readonly T[]) =>
      values.map((value) => [value, plain.with(Labels.of({ [label]: value }))] as const);
    this.name = name;
    this.byClass = having("status_class", STATUS_CLASSES).map(([, labels]) => labels);
    this.byCause = having("cause", STRIKES);
    this.byState = having("state", UPSTREAM_STATES);
    this.byBreaker = having("state", BREAKER_STATES);
    this.byConnection = having("state", CONNECTION_STATES);
  }
}

/** An upstream, its figures and its labels. */
export interface LabelledUpstream {
  readonly upstream: Upstream;
  readonly metrics: UpstreamMetrics;
  readonly labels: UpstreamLabels;
}

/** Labels that were made, so that no scrape makes them again. */
const made = new WeakMap<UpstreamMetrics, UpstreamLabels>();

/** All upstreams of a gateway, each once. */
export function labelledUpstreams({ metrics: book, sites }: Generation): LabelledUpstream[] {
  if (book === undefined) return [];
  return sites.flatMap(({ config: { name: site }, pools }) =>
    [...pools.values()].flatMap((pool) => {
      // Those of one id are one upstream, whose address a name server gave twice.
      const byId = new Map(pool.upstreams.map((upstream) => [upstream.id, upstream]));
      const taken = new Set<string>();
      const twice = new Set<string>();
      for (const { url } of byId.values()) (taken.has(url) ? twice : taken).add(url);
      return [...byId.values()].map((upstream) => {
        const metrics = book.upstream(site, pool.name, upstream.id);
        const name = twice.has(upstream.url) ? upstream.id : upstream.url;
        let labels = made.get(metrics);
        if (labels?.name !== name) made.set(metrics, labels = new UpstreamLabels(site, pool.name, name));
        return { upstream, metrics, labels };
      });
    })
  );
}
