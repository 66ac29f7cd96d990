/**
 * Keeps the runtime's debugger shut. Deno opens it on 127.0.0.1:9229 at each SIGUSR1, whoever listens to that signal, and
 * has no option that turns this off.
 *
 * @module
 */

import { close, url } from "node:inspector";
import { setImmediate } from "node:timers";

/** How long the debugger may take to open: looked for at every turn of the event loop, then every {@linkcode REST_MS}. */
const WATCH_MS = 50;
const LATE_MS = 2000;
const REST_MS = 10;

/** Closes the debugger behind each SIGUSR1, unless the program was started with one. Does nothing on Windows. */
export function guardDebugger(): void {
  if (Deno.build.os === "windows" || url() !== undefined) return;
  Deno.addSignalListener("SIGUSR1", () => watch(performance.now()));
}

// The runtime opens it after this signal was handed out, in a later turn of this thread's event loop. A debugger's client
// needs some turns to be heard, so at every turn is soon enough.
function watch(sinceMs: number): void {
  if (url() !== undefined) return close();
  const tookMs = performance.now() - sinceMs;
  if (tookMs < WATCH_MS) setImmediate(() => watch(sinceMs));
  else if (tookMs < LATE_MS) setTimeout(() => watch(sinceMs), REST_MS);
}
