/**
 * A worker that does what a supervisor of tests tells it beside the usual: see {@linkcode WorkerFault}.
 *
 * @module
 */

import v8 from "node:v8";
import "../../lib/process/worker_main.ts";

/** What it can be told. */
export type WorkerFault =
  /** Throws in a timer. */
  | "throw"
  /** Rejects a promise that nobody looks at. */
  | "reject"
  /** Ends its thread without a word. */
  | "close"
  /** Has a heap that is nearly full. */
  | "full";

addEventListener("message", (event) => {
  switch ((event as MessageEvent<{ fault?: WorkerFault }>).data.fault) {
    case "throw":
      setTimeout(() => {
        throw new Error("thrown by a test");
      });
      return;
    case "reject":
      Promise.reject(new Error("rejected by a test"));
      return;
    case "close":
      return close();
    case "full": {
      const read = v8.getHeapStatistics;
      v8.getHeapStatistics = () => {
        const statistics = read();
        return { ...statistics, used_heap_size: statistics.heap_size_limit * 0.9 };
      };
    }
  }
});
