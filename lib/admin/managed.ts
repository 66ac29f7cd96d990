/**
 * What management needs of the running program, whether it serves in this thread or in several.
 *
 * @module
 */

import type { Reloader } from "../process/reloader.ts";
import type { RunningServer } from "../process/server.ts";
import type { RunningWorkers } from "../process/worker_server.ts";
import type { WorkerThread } from "../process/worker_thread.ts";

/** The running server. With workers, its generation serves nothing, but sees their state. */
export interface Managed
  extends Pick<RunningServer, "generation" | "addresses" | "ports" | "rebalance" | "changeMembers"> {
  /** Its workers by their place, undefined where one is being replaced; absent where this thread serves. */
  readonly workers?: readonly (Pick<WorkerThread, "state" | "underWay" | "ended"> | undefined)[];
  /** How often each was started again, by its place. */
  readonly restarts?: RunningWorkers["restarts"];
}

/** The config that runs, and how another one is put in its place. */
export type ManagedConfig = Readonly<
  Pick<
    Reloader,
    "generation" | "file" | "loadedAtMs" | "acceptedCount" | "refusedCount" | "refused" | "reloadable" | "reload"
  >
>;
