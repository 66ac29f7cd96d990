/**
 * The signals of the program: those that end it, have the config read again or the log files opened anew, and those that
 * would do harm if nobody listened to them.
 *
 * @module
 */

import { close, url } from "node:inspector";
import { setImmediate } from "node:timers";

/** A signal that asks the program to end. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGQUIT" | "SIGHUP";

/** How signals are taken. */
export interface StopSignalOptions {
  /** Called on each SIGHUP; without it SIGHUP ends the program, as when a terminal closes. */
  readonly onHangUp?: () => void;
}

/**
 * Waits for the first signal. From then on, a second one ends the process at once, with the exit code that a shell gives
 * to a program that the signal killed.
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

/** Calls `reopen` on each SIGUSR1, as nginx opens its log files anew. Never on Windows, which has none. */
export function onReopenSignal(reopen: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGUSR1", reopen);
}

/**
 * Listens to signals that would end the process, with all exchanges under way, and does nothing with them. Others may
 * listen to them too.
 */
export function ignoreSignals(): void {
  // Windows has no such signals.
  const { os } = Deno.build;
  const signals = os === "windows" ? [] : os === "linux" ? IGNORED : IGNORED_ON_MACOS;
  for (const signal of signals) Deno.addSignalListener(signal, () => {});
}

/**
 * Closes the debugger that the runtime opens on 127.0.0.1:9229 at each SIGUSR1, whoever listens to that signal; it has no
 * option that turns this off. A debugger that the program was started with stays open. Does nothing on Windows.
 */
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

// Windows has no SIGTERM to listen to. SIGQUIT is what containers made for nginx send. SIGHUP is what a closing terminal
// sends: it must not cut everyone off.
const STOP_SIGNALS: readonly (readonly [StopSignal, number])[] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGQUIT", 131], ["SIGHUP", 129]];

// SIGPIPE, SIGWINCH, SIGURG and SIGCONT do nothing as it is. SIGTSTP, SIGTTIN and SIGTTOU belong to the terminal, SIGPROF
// to profilers, and SIGXCPU, SIGABRT and their like end a process for a reason.
const IGNORED: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO", "SIGPWR", "SIGSTKFLT"];
// The system has no others of these.
const IGNORED_ON_MACOS: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO"];

/** How long the debugger may take to open: looked for at every turn of the event loop, then every {@linkcode REST_MS}. */
const WATCH_MS = 50;
const LATE_MS = 2000;
const REST_MS = 10;
