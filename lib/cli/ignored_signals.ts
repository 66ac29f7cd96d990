/**
 * Signals that would do harm if nobody listened to them: the system ends the process, with all exchanges under way.
 *
 * @module
 */

// SIGPIPE, SIGWINCH, SIGURG and SIGCONT do nothing as it is. SIGTSTP, SIGTTIN and SIGTTOU belong to the terminal, SIGPROF
// to profilers, and SIGXCPU, SIGABRT and their like end a process for a reason.
const IGNORED: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO", "SIGPWR", "SIGSTKFLT"];
// The system has no others of these.
const IGNORED_ON_MACOS: readonly Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO"];

/** Takes these signals from now on, and does nothing with them. Others may listen to them too. */
export function ignoreSignals(): void {
  // Windows has no such signals.
  const { os } = Deno.build;
  const signals = os === "windows" ? [] : os === "linux" ? IGNORED : IGNORED_ON_MACOS;
  for (const signal of signals) Deno.addSignalListener(signal, () => {});
}
