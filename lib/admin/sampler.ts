/**
 * Takes a sample a second while the management API is open, so that current rates are available at once.
 *
 * @module
 */

import type { UpstreamCounts } from "../generation/metrics/metrics_snapshot.ts";
import { type FlowCounts, flowOfUpstream, NO_COUNTS, passed, sumOf } from "./flow.ts";
import type { FailureList, UpstreamPlace } from "./failure_list.ts";
import { HistoryRing } from "./history.ts";
import type { Managed } from "./managed.ts";
import { type Sample, takeSample } from "./sample.ts";
import type { Flow, History } from "./snapshot.ts";
import { upstreamId } from "./upstream_id.ts";

const STEP_MS = 1000;
/** Steps over which rates are computed. */
const WINDOW_STEPS = 5;
/** Steps in one point of the history. */
const HISTORY_STEPS = 2;

/** The last samples. Owned by the management listener; its timer keeps no process alive. */
export class Sampler {
  /** Called after each sample. */
  onSample: (() => void) | undefined;
  readonly #managed: Managed;
  readonly #failures: FailureList;
  readonly #samples: Sample[];
  readonly #history = new HistoryRing();
  readonly #timer: ReturnType<typeof setInterval>;
  #taken = 0;

  constructor(managed: Managed, failures: FailureList) {
    this.#managed = managed;
    this.#failures = failures;
    this.#samples = [takeSample(managed)];
    this.#timer = setInterval(() => this.sample(), STEP_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** The newest sample. */
  get newest(): Sample {
    return this.#samples[this.#samples.length - 1];
  }

  /** The oldest sample of the window of rates. */
  get oldest(): Sample {
    return this.#samples[0];
  }

  /** Time between `oldest` and `newest`, in seconds; 0 at the beginning. */
  get seconds(): number {
    return (this.newest.takenMs - this.oldest.takenMs) / 1000;
  }

  /** The last minutes. */
  get history(): History {
    return this.#history.read();
  }

  /**
   * The flow of the window.
   *
   * @param counts Selects counters of a sample.
   */
  flow(counts: (sample: Sample) => FlowCounts | undefined, inFlight: number): Flow {
    return this.#flow(counts, inFlight, WINDOW_STEPS);
  }

  /** Takes a sample; called by the timer once a second. */
  sample(): void {
    const sample = takeSample(this.#managed);
    this.#updateFailures(sample);
    this.#samples.push(sample);
    if (this.#samples.length > WINDOW_STEPS + 1) this.#samples.shift();
    if (++this.#taken % HISTORY_STEPS === 0) this.#remember(sample);
    this.onSample?.();
  }

  /** Stops the timer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  // A route or upstream that is new in the window is compared with the first sample that contains it.
  #flow(counts: (sample: Sample) => FlowCounts | undefined, inFlight: number, steps: number): Flow {
    const { newest } = this;
    const from = Math.max(0, this.#samples.length - 1 - steps);
    const now = counts(newest);
    if (now === undefined) return passed(NO_COUNTS, undefined, { seconds: 0, inFlight });
    for (let index = from; index < this.#samples.length - 1; index++) {
      const before = counts(this.#samples[index]);
      if (before === undefined) continue;
      return passed(now, before, { seconds: (newest.takenMs - this.#samples[index].takenMs) / 1000, inFlight });
    }
    return passed(now, undefined, { seconds: 0, inFlight });
  }

  #remember(sample: Sample): void {
    const upstreams = new Map<string, Flow>();
    for (const id of sample.upstreams.keys()) {
      upstreams.set(id, this.#flow(({ upstreams }) => rates(upstreams.get(id)), 0, HISTORY_STEPS));
    }
    this.#history.add({
      atMs: Date.now(),
      totals: { ...this.#flow(({ totals }) => totals, sample.inFlight, HISTORY_STEPS) },
      memoryBytes: sample.memoryBytes,
      upstreams,
    });
  }

  // Failures that fail no exchange are visible only in counters, and so is the recovery of an upstream.
  #updateFailures(sample: Sample): void {
    const before = countsOf(this.newest);
    for (const [id, { place, counts }] of countsOf(sample)) {
      const earlier = before.get(id)?.counts;
      if (earlier === undefined) continue;
      if (counts.failures.slow > earlier.failures.slow) this.#failures.setLastFailure(place, SLOW_FAILURE);
      else if (this.#failures.lastFailureOf(place) !== undefined && recovered(earlier, counts)) {
        this.#failures.clearLastFailure(place);
      }
    }
  }
}

/** The failure of an upstream that responds too late. */
const SLOW_FAILURE = "took longer than slow_after";

function countsOf({ metrics }: Sample): Map<string, { place: UpstreamPlace; counts: UpstreamCounts }> {
  const found = new Map<string, { place: UpstreamPlace; counts: UpstreamCounts }>();
  for (const { site, pools } of metrics?.sites ?? []) {
    for (const { pool, upstreams } of pools) {
      for (const one of upstreams) {
        const place = { site, pool, url: one.upstream.url };
        found.set(upstreamId(site, pool, one.upstream), { place, counts: one });
      }
    }
  }
  return found;
}

// There were responses, and no failures.
function recovered(before: UpstreamCounts, now: UpstreamCounts): boolean {
  return sumOf(now.statuses) > sumOf(before.statuses) && flowOfUpstream(now).errors === flowOfUpstream(before).errors &&
    sumOf(now.failures) === sumOf(before.failures);
}

// Without durations, since no quantiles of upstreams are shown.
function rates(counts: FlowCounts | undefined): FlowCounts | undefined {
  return counts && { ...counts, durations: [] };
}
