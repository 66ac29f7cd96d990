/**
 * Opens 50 files, and prints how many files are open before and after: as `openFileCount()` says, as the metric says, and
 * counted by hand. A program of its own, because test files that run in parallel share one process.
 *
 * @module
 */

import { Exposition } from "../../lib/metrics/exposition.ts";
import { localMetricFields } from "../../lib/metrics/metric_fields.ts";
import { processFamilies } from "../../lib/metrics/process_families.ts";
import { WorkerMetrics } from "../../lib/metrics/worker_metrics.ts";
import { openFileCount } from "../../lib/process/open_files.ts";

/** What the program prints, as JSON. */
export interface OpenFiles {
  readonly count: number | undefined;
  readonly metric: number;
  readonly byHand: number;
}

/** Runs the program. Returns what it saw before it opened 50 files, and after. */
export async function openFilesOfProgram(): Promise<[OpenFiles, OpenFiles]> {
  const args = ["run", "-A", "--no-check", import.meta.url];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function openFiles(worker: WorkerMetrics): OpenFiles {
  const text = new Exposition(processFamilies({ version: "1", worker })).write("prometheus");
  return {
    count: openFileCount(),
    metric: Number(/^process_open_fds (\d+)$/m.exec(text)?.[1]),
    // Less the folder itself, which is open while it is read.
    byHand: [...Deno.readDirSync("/proc/self/fd")].length - 1,
  };
}

if (import.meta.main) {
  using worker = new WorkerMetrics(localMetricFields());
  const before = openFiles(worker);
  const files = Array.from({ length: 50 }, () => Deno.openSync("/dev/null"));
  const after = openFiles(worker);
  for (const file of files) file.close();
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify([before, after])));
}
