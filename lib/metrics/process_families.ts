/**
 * Families of the process. A value that the platform does not have, or for which a permission is missing, is left out:
 * a scrape must not open a permission prompt.
 *
 * @module
 */

import process from "node:process";
import { Family, type FamilyOptions } from "./family.ts";
import { Labels } from "./labels.ts";
import type { WorkerMetrics } from "./worker_metrics.ts";

/** Options of {@linkcode processFamilies}. */
export interface ProcessFamiliesOptions {
  /** Version of this program. */
  version: string;
  /** Metrics of the workers. */
  worker: WorkerMetrics;
  /**
   * Index of the supervisor's thread, which serves no requests: its label is "main".
   *
   * @default {undefined} There is none.
   */
  main?: number | undefined;
  /**
   * When the process started, in milliseconds since 1970. A worker gets it from the main thread, because its own time
   * origin is its own start.
   *
   * @default {performance.timeOrigin}
   */
  startedMs?: number;
}

/** The families `process_…`, `bws_build_info` and `bws_worker_…`. */
export function processFamilies(options: ProcessFamiliesOptions): Family[] {
  const { version, worker, main, startedMs = performance.timeOrigin } = options;
  const build = Labels.of({ version, deno: Deno.version.deno, v8: Deno.version.v8 });
  return [
    single(
      { name: "process_resident_memory_bytes", help: "Resident memory of the process.", type: "gauge", unit: "bytes" },
      () => Deno.memoryUsage().rss,
    ),
    single(
      {
        ...{ name: "process_cpu_seconds_total", type: "counter", unit: "seconds" },
        help: "Processor time of the process, user and system, all workers.",
      },
      cpuSeconds,
    ),
    single({ name: "process_open_fds", help: "Open file descriptors of the process.", type: "gauge" }, openFds),
    single(
      {
        ...{ name: "process_start_time_seconds", type: "gauge", unit: "seconds" },
        help: "When the process started, in seconds since 1970.",
      },
      () => startedMs / 1000,
    ),
    new Family(
      { name: "bws_build_info", help: "Versions of the program and of its runtime.", type: "info" },
      (sink) => sink.value(build, 1),
    ),
    ...worker.families(main),
  ];
}

function single(options: FamilyOptions, read: () => number | undefined): Family {
  return new Family(options, (sink) => {
    const value = read();
    if (value !== undefined) sink.value(Labels.NONE, value);
  });
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const FD_FOLDER = "/proc/self/fd";

function openFds(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (Deno.permissions.querySync({ name: "read", path: FD_FOLDER }).state !== "granted") return undefined;
  try {
    // One of them is the handle of this listing.
    return Iterator.from(Deno.readDirSync(FD_FOLDER)).reduce((count) => count + 1, 0) - 1;
  } catch {
    // For /proc Deno requires more than the read permission, and some sandboxes have no /proc.
    return undefined;
  }
}
