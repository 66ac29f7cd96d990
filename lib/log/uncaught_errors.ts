/**
 * Uncaught errors.
 *
 * @module
 */

import type { Log } from "./log.ts";

/**
 * Logs uncaught errors and unhandled rejections, instead of ending the process. Each exchange handles its own failures,
 * so such an error is a fault in the handling of one exchange: it must be logged, and the other exchanges must not be
 * affected. None is left out, not even those of aborted streams.
 */
export function logUncaughtErrors(log: Log): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.log("error", "Unhandled rejection", { cause: describe(event.reason) });
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    log.log("error", "Uncaught error", { cause: describe(event.error ?? event.message) });
  });
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.stack ?? `${reason.name}: ${reason.message}` : String(reason);
}
