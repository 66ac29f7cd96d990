/**
 * The parts of the running program that the management API uses, with and without workers.
 *
 * @module
 */

import type { Reloader } from "../process/reloader.ts";
import type { RunningServer } from "../process/server.ts";
import type { RunningWorkers } from "../process/worker_server.ts";
import type { WorkerThread } from "../process/worker_thread.ts";

/** The running server. With workers, its generation serves no requests but shares their state. */
export interface Managed
  extends Pick<RunningServer, "generation" | "addresses" | "socketChoice" | "ports" | "rebalance" | "changeMembers"> {
  /** Workers by index, undefined where one is being replaced; absent where this thread serves. */
  readonly workers?: readonly (Pick<WorkerThread, "state" | "underWay" | "ended"> | undefined)[];
  /** Number of restarts of each worker, by index. */
  readonly restarts?: RunningWorkers["restarts"];
}

/** The active config and its reload. */
export type ManagedConfig = Readonly<
  Pick<
    Reloader,
    "generation" | "file" | "loadedAtMs" | "acceptedCount" | "refusedCount" | "refused" | "reloadable" | "reload"
  >
>;
