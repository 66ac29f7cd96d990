/**
 * What metrics cost: one exchange (a status, a duration, bytes both ways), in memory of one worker and in shared memory,
 * and one scrape of 500 upstreams × 20 families. Run with `deno run bench/metrics.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import { Counter } from "../lib/metrics/counter.ts";
import { Exposition } from "../lib/metrics/exposition.ts";
import { Family } from "../lib/metrics/family.ts";
import { Histogram, histogramSlots } from "../lib/metrics/histogram.ts";
import { Labels } from "../lib/metrics/labels.ts";
import type { Numbers } from "../lib/metrics/numbers.ts";
import { STATUS_CLASSES, StatusCounters } from "../lib/metrics/status_counters.ts";

const CLASSES = STATUS_CLASSES.map((name) => Labels.of({ class: name }));
const UPSTREAMS = 500;
const WORKERS = 4;
const RECEIVED_AT = StatusCounters.SLOTS;
const SENT_AT = RECEIVED_AT + Counter.SLOTS;
const DURATIONS_AT = SENT_AT + Counter.SLOTS;
const SLOTS = DURATIONS_AT + histogramSlots();

interface UpstreamMetrics {
  readonly answers: StatusCounters;
  readonly received: Counter;
  readonly sent: Counter;
  readonly durations: Histogram;
}

function metricsOf(numbers: Numbers): UpstreamMetrics {
  return {
    answers: new StatusCounters(numbers),
    received: new Counter(numbers, RECEIVED_AT),
    sent: new Counter(numbers, SENT_AT),
    durations: new Histogram(numbers, undefined, DURATIONS_AT),
  };
}

function makeUpstreams(shared: boolean, workers: number): UpstreamMetrics[] {
  const bytes = UPSTREAMS * workers * SLOTS * 8;
  const memory = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  return Array.from({ length: UPSTREAMS }, (_, upstream) => {
    const all = Array.from(
      { length: workers },
      (_, worker) => new Float64Array(memory, (worker * UPSTREAMS + upstream) * SLOTS * 8, SLOTS),
    );
    return metricsOf({ own: all[0], all });
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
    const { answers, received, sent, durations } = upstreams[n % upstreams.length];
    const status = STATUSES[n & 4095];
    answers.add(status);
    received.add(status);
    sent.add(n);
    durations.observe(DURATIONS[n & 4095]);
  }
}

function countOf(upstreams: readonly UpstreamMetrics[]): number {
  return upstreams.reduce((sum, { durations }) => sum + durations.read().counts.reduce((a, b) => a + b, 0), 0);
}

function scrapeMs(upstreams: readonly UpstreamMetrics[]): { times: number[]; bytes: number } {
  const labels = upstreams.map((_, index) => Labels.of({ pool: "api", upstream: `http://10.0.0.${index}:8080` }));
  const families = [
    new Family(
      { name: "bws_duration_seconds", help: "Help.", type: "histogram", unit: "seconds" },
      (to) => upstreams.forEach(({ durations }, index) => to.histogram(labels[index], durations.read())),
    ),
    new Family(
      { name: "bws_responses_total", help: "Help.", type: "counter" },
      (to) =>
        upstreams.forEach(({ answers }, index) => {
          for (const [at, count] of answers.counts().entries()) to.value(labels[index].with(CLASSES[at]), count);
        }),
    ),
    ...Array.from({ length: 18 }, (_, family) =>
      new Family(
        { name: `bws_f${family}_total`, help: "Help.", type: "counter" },
        (to) => upstreams.forEach(({ sent }, index) => to.value(labels[index], sent.value)),
      )),
  ];
  const exposition = new Exposition(families);
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
