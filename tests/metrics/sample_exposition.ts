/**
 * One exposition that has everything that can be awkward, for those who parse it.
 *
 * @module
 */

import { Exposition } from "../../lib/metrics/exposition.ts";
import { Family } from "../../lib/metrics/family.ts";
import { Labels } from "../../lib/metrics/labels.ts";
import { localMetricFields } from "../../lib/metrics/metric_fields.ts";
import { processFamilies } from "../../lib/metrics/process_families.ts";
import { MetricSet } from "../../lib/metrics/metric_set.ts";
import { STATUS_CLASSES, statusClassIndex } from "../../lib/metrics/status_class.ts";
import type { WorkerMetrics } from "../../lib/metrics/worker_metrics.ts";

/** A label value with everything that has to be escaped, or looks as if it had. */
export const AWKWARD_VALUE = 'a\\b "c"\nd {e="f"} # EOF, \t\r\0 é 漢 🦕';
/** A help text of that kind. */
export const AWKWARD_HELP = 'Says "x\\y"\nin two lines.';

const METRICS = new MetricSet({
  answers: {
    ...{ kind: "counter", name: "bws_responses_total", help: AWKWARD_HELP },
    labels: [["class", STATUS_CLASSES]],
    hideZero: ["other"],
  },
  durations: {
    ...{ kind: "histogram", name: "bws_request_duration_seconds", unit: "seconds" },
    help: "Time of an exchange.",
  },
});
const PROCESS = new MetricSet({
  sizes: {
    ...{ kind: "histogram", name: "bws_size_bytes", unit: "bytes", help: "Size." },
    bounds: [1, 1e6, 1e21],
  },
  received: { kind: "counter", name: "bws_received_bytes_total", unit: "bytes", help: "Bytes." },
});

/** Counts of two pools and of no label at all, and the process's own metrics. */
export function sampleExposition(worker: WorkerMetrics): Exposition {
  const take = localMetricFields();
  const api = Labels.of({ pool: "api", upstream: "http://127.0.0.1:8001" });
  const awkward = Labels.of({ pool: AWKWARD_VALUE, upstream: "" });
  const values = METRICS.take(take, "pools");
  for (const status of [101, 200, 204, 301, 404, 499, 502, 700]) {
    values.add(METRICS.metrics.answers, 1, statusClassIndex(status));
  }
  for (const seconds of [0.0001, 0.0005, 0.3, 61]) values.observe(METRICS.metrics.durations, seconds);
  const process = PROCESS.take(take, "process");
  process.observe(PROCESS.metrics.sizes, 12);
  process.add(PROCESS.metrics.received, 2 ** 53);
  return new Exposition([
    ...METRICS.families(() => [{ values, labels: api }, { values, labels: awkward }]),
    ...PROCESS.families(() => [{ values: process, labels: Labels.NONE }]),
    new Family({ name: "bws_weight", help: "Values of every kind.", type: "gauge" }, (sink) => {
      for (const value of [0.1, -3, 1e21, 1e-7, NaN, Infinity, -Infinity]) {
        sink.value(Labels.of({ of: String(value) }), value);
      }
    }),
    new Family({ name: "bws_nothing", help: "Has no samples now.", type: "gauge" }, () => {}),
    ...processFamilies({ version: "1.2.3", worker, startedMs: 1_700_000_000_123 }),
  ]);
}

/** The first of some programs that runs with `args` and `input`, with its status and all that it said. */
export async function runFirst(
  commands: readonly string[],
  args: string[],
  input: string,
): Promise<{ code: number; text: string } | undefined> {
  for (const command of commands) {
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    const writer = child.stdin.getWriter();
    // A program that ends before it has read all says why on its other streams.
    const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
    const { code, stdout, stderr } = await child.output();
    await written;
    if (code === MISSING_CODE) continue;
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  }
  return undefined;
}

/** With this a program says that what it needs is not there. */
export const MISSING_CODE = 77;
