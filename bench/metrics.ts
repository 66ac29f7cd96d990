/**
 * What metrics cost: one exchange (a status, a duration, bytes both ways), in memory of one worker and in shared memory,
 * and one scrape of 500 upstreams × 20 families. Run with `deno run bench/metrics.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import { Exposition } from "../lib/metrics/exposition.ts";
import { Family } from "../lib/metrics/family.ts";
import { Labels } from "../lib/metrics/labels.ts";
import { MetricSet } from "../lib/metrics/metric_set.ts";
import { STATUS_CLASSES, statusClassIndex } from "../lib/metrics/status_class.ts";

const UPSTREAMS = 500;
const WORKERS = 4;
const SET = new MetricSet({
  answers: {
    ...{ kind: "counter", name: "bws_responses_total", help: "Help." },
    labels: [["class", STATUS_CLASSES]],
    hideZero: ["other"],
  },
  received: { kind: "counter", name: "bws_received_total", help: "Help." },
  sent: { kind: "counter", name: "bws_sent_total", help: "Help." },
  durations: { kind: "histogram", name: "bws_duration_seconds", help: "Help.", unit: "seconds" },
});
const { answers, received, sent, durations } = SET.metrics;

type UpstreamMetrics = ReturnType<typeof SET.take>;

function makeUpstreams(shared: boolean, workers: number): UpstreamMetrics[] {
  const bytes = UPSTREAMS * workers * SET.size * 8;
  const memory = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  return Array.from({ length: UPSTREAMS }, (_, upstream) => {
    const all = Array.from(
      { length: workers },
      (_, worker) => new Float64Array(memory, (worker * UPSTREAMS + upstream) * SET.size * 8, SET.size),
    );
    return SET.take(() => ({ own: all[0], all }), "");
  });
}

/** Durations as they come: most short, some long; prepared, so that drawing them is not measured. */
const DURATIONS = Float64Array.from({ length: 4096 }, () => 0.0004 * Math.exp(6 * Math.random()));
const STATUSES = Int32Array.from({ length: 4096 }, () => [200, 200, 200, 304, 404, 502][Math.floor(Math.random() * 6)]);

const EXCHANGES = 1_000_000;
const RUNS = 9;

/**
 * Nanoseconds an exchange, each run. The loop and the reading of prepared values are part of it: a loop measured alone is
 * compiled otherwise, and what is left after taking it off is noise.
 */
function exchangeNs(upstreams: readonly UpstreamMetrics[]): number[] {
  const before = countOf(upstreams);
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    recordExchanges(upstreams);
    return (performance.now() - start) * 1e6 / EXCHANGES;
  });
  const counted = countOf(upstreams) - before;
  // An addition that the compiler left out would be the quickest of all.
  if (counted !== RUNS * EXCHANGES) throw new Error(`Cannot believe it: counted ${counted} exchanges`);
  return times.sort((one, other) => one - other);
}

function recordExchanges(upstreams: readonly UpstreamMetrics[]): void {
  for (let n = 0; n < EXCHANGES; n++) {
    const values = upstreams[n % upstreams.length];
    const status = STATUSES[n & 4095];
    values.add(answers, 1, statusClassIndex(status));
    values.add(received, status);
    values.add(sent, n);
    values.observe(durations, DURATIONS[n & 4095]);
  }
}

function countOf(upstreams: readonly UpstreamMetrics[]): number {
  return upstreams.reduce((sum, values) => sum + values.histogram(durations).counts.reduce((a, b) => a + b, 0), 0);
}

function scrapeMs(upstreams: readonly UpstreamMetrics[]): { times: number[]; bytes: number } {
  const things = upstreams.map((values, index) => ({
    values,
    labels: Labels.of({ pool: "api", upstream: `http://10.0.0.${index}:8080` }),
  }));
  const others = Array.from(
    { length: 16 },
    (_, family) =>
      new Family(
        { name: `bws_f${family}_total`, help: "Help.", type: "counter" },
        (to) => things.forEach(({ values, labels }) => to.value(labels, values.value(sent))),
      ),
  );
  const exposition = new Exposition([...SET.families(() => things), ...others]);
  const encoder = new TextEncoder();
  let bytes = 0;
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now();
    bytes = encoder.encode(exposition.write("openmetrics")).length;
    return performance.now() - start;
  });
  return { times, bytes };
}

for (const shared of [false, true]) {
  const upstreams = makeUpstreams(shared, WORKERS);
  const where = shared ? "shared memory" : "own memory";
  // First, while nothing is compiled, as it is when a server is scraped for the first time.
  const { times: [firstMs, secondMs, ...laterMs], bytes } = scrapeMs(upstreams);
  const medianMs = laterMs.sort((one, other) => one - other)[laterMs.length >> 1];
  for (const [what, some] of [["1 upstream", upstreams.slice(0, 1)], ["500 upstreams", upstreams]] as const) {
    const ns = exchangeNs(some);
    console.log(
      `${where}, ${what}: ${ns[RUNS >> 1].toFixed(1)} ns an exchange, loop included ` +
        `(median of ${RUNS}, ${ns[0].toFixed(1)} to ${ns[RUNS - 1].toFixed(1)})`,
    );
  }
  console.log(
    `${where}, scrape of ${UPSTREAMS} upstreams × 20 families, ${WORKERS} workers, ${(bytes / 1e6).toFixed(1)} MB: ` +
      `first ${firstMs.toFixed(1)} ms, second ${secondMs.toFixed(1)}, median of the others ${medianMs.toFixed(1)}, ` +
      `worst ${laterMs[laterMs.length - 1].toFixed(1)}`,
  );
}
