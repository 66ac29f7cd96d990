/**
 * Errors that nobody caught.
 *
 * @module
 */

import type { Log } from "./log.ts";

/**
 * Logs errors that nobody caught, instead of ending the process. Each exchange handles its own failures, so an error
 * that gets this far is a mistake in one of them: it must be seen, and all others must not pay for it. None is left out,
 * those of streams that were cut included.
 */
export function logStrayErrors(log: Log): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.say("error", "Unhandled rejection", { cause: describe(event.reason) });
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    log.say("error", "Uncaught error", { cause: describe(event.error ?? event.message) });
  });
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.stack ?? `${reason.name}: ${reason.message}` : String(reason);
}
