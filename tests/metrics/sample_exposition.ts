/**
 * One exposition that has everything that can be awkward, for those who parse it.
 *
 * @module
 */

import { Counter } from "../../lib/metrics/counter.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { Family } from "../../lib/metrics/family.ts";
import { Histogram, histogramSlots } from "../../lib/metrics/histogram.ts";
import { Labels } from "../../lib/metrics/labels.ts";
import { localNumbers } from "../../lib/metrics/numbers.ts";
import { processFamilies } from "../../lib/metrics/process_families.ts";
import { STATUS_CLASSES, StatusCounters } from "../../lib/metrics/status_counters.ts";
import type { WorkerFigures } from "../../lib/metrics/worker_figures.ts";

/** A label value with everything that has to be escaped, or looks as if it had. */
export const AWKWARD_VALUE = 'a\\b "c"\nd {e="f"} # EOF, \t\r\0 é 漢 🦕';
/** A help text of that kind. */
export const AWKWARD_HELP = 'Says "x\\y"\nin two lines.';

/** Counts of two pools and of no label at all, and the process's own figures. */
export function sampleExposition(worker: WorkerFigures): Exposition {
  const take = localNumbers();
  const api = Labels.of({ pool: "api", upstream: "http://127.0.0.1:8001" });
  const awkward = Labels.of({ pool: AWKWARD_VALUE, upstream: "" });
  const answers = new StatusCounters(take(StatusCounters.SLOTS, "answers"));
  for (const status of [101, 200, 204, 301, 404, 499, 502, 700]) answers.add(status);
  const durations = new Histogram(take(histogramSlots(), "durations"));
  for (const seconds of [0.0001, 0.0005, 0.3, 61]) durations.observe(seconds);
  const sizes = new Histogram(take(histogramSlots([1, 1e6, 1e21]), "sizes"), [1, 1e6, 1e21]);
  sizes.observe(12);
  const received = new Counter(take(1, "received"));
  received.add(2 ** 53);
  return new Exposition([
    new Family({ name: "bws_responses_total", help: AWKWARD_HELP, type: "counter" }, (sink) => {
      for (const labels of [api, awkward]) {
        for (const [index, count] of answers.counts().entries()) {
          sink.value(labels.with(Labels.of({ class: STATUS_CLASSES[index] })), count);
        }
      }
    }),
    new Family(
      { name: "bws_request_duration_seconds", help: "Time of an exchange.", type: "histogram", unit: "seconds" },
      (sink) => {
        sink.histogram(api, durations.read());
        sink.histogram(awkward, durations.read());
      },
    ),
    new Family(
      { name: "bws_size_bytes", help: "Size.", type: "histogram", unit: "bytes" },
      (sink) => sink.histogram(Labels.NONE, sizes.read()),
    ),
    new Family(
      { name: "bws_received_bytes_total", help: "Bytes.", type: "counter", unit: "bytes" },
      (sink) => sink.value(Labels.NONE, received.value),
    ),
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
