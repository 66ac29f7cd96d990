/**
 * The signal that asks the program to open its log files anew, as nginx has it.
 *
 * @module
 */

/** Calls `reopen` on each SIGUSR1. Never on Windows, which has none. */
export function onReopenSignal(reopen: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGUSR1", reopen);
}
