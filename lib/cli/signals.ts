/**
 * The signals of the program: those that end it, reload the config or reopen the log files, and those whose default action
 * must be prevented.
 *
 * @module
 */

import { close, url } from "node:inspector";
import { setImmediate } from "node:timers";

/** A signal that asks the program to end. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGQUIT" | "SIGHUP";

/** Options of {@linkcode stopSignal}. */
export interface StopSignalOptions {
  /** Called on each SIGHUP; without it SIGHUP ends the program, as it does when a terminal closes. */
  readonly onHangUp?: () => void;
}

/**
 * Waits for the first signal. A second one ends the process at once, with the exit code that a shell reports for a program
 * killed by the signal.
 */
export function stopSignal({ onHangUp }: StopSignalOptions = {}): Promise<StopSignal> {
  return new Promise((resolve) => {
    let asked = false;
    for (const [signal, exitCode] of STOP_SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (signal === "SIGHUP" && onHangUp !== undefined) return asked ? undefined : onHangUp();
        if (asked) Deno.exit(exitCode);
        asked = true;
        resolve(signal);
      });
    }
  });
}

/** Calls `reopen` on each SIGUSR1, as nginx reopens its log files. Windows does not have this signal. */
export function onReopenSignal(reopen: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGUSR1", reopen);
}

/**
 * Ignores signals that would end the process with all exchanges under way. Other listeners still get them.
 */
export function ignoreSignals(): void {
  // Windows has no such signals.
  const { os } = Deno.build;
  const signals = os === "windows" ? [] : os === "linux" ? IGNORED : IGNORED_ON_MACOS;
  for (const signal of signals) Deno.addSignalListener(signal, () => {});
}

/**
 * Closes the debugger that the runtime opens on 127.0.0.1:9229 at each SIGUSR1, even if the program handles the signal; the
 * runtime has no option that turns this off. A debugger that was opened at the start stays open. Does nothing on Windows.
 */
export function guardDebugger(): void {
  if (Deno.build.os === "windows" || url() !== undefined) return;
  Deno.addSignalListener("SIGUSR1", () => watch(performance.now()));
}

// The runtime opens the debugger after the signal was delivered, in a later turn of this thread's event loop. A client of the
// debugger needs several turns to connect, so it is enough to check at every turn.
function watch(sinceMs: number): void {
  if (url() !== undefined) return close();
  const tookMs = performance.now() - sinceMs;
  if (tookMs < WATCH_MS) setImmediate(() => watch(sinceMs));
  else if (tookMs < LATE_MS) setTimeout(() => watch(sinceMs), REST_MS);
}

// On Windows SIGTERM cannot be handled. SIGQUIT is sent by containers made for nginx. SIGHUP is sent by a terminal that is
// closed, which must not cut exchanges.
const STOP_SIGNALS: readonly (readonly [StopSignal, number])[] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGQUIT", 131], ["SIGHUP", 129]];

// SIGPIPE, SIGWINCH, SIGURG and SIGCONT do nothing by default. SIGTSTP, SIGTTIN and SIGTTOU belong to the terminal, SIGPROF
// to profilers; SIGXCPU, SIGABRT and similar signals are meant to end the process.
const IGNORED: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO", "SIGPWR", "SIGSTKFLT"];
// macOS does not have the others.
const IGNORED_ON_MACOS: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO"];

/** Time for the debugger to open: checked at every turn of the event loop, then, up to `LATE_MS`, every `REST_MS`. */
const WATCH_MS = 50;
const LATE_MS = 2000;
const REST_MS = 10;
