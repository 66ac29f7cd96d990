/**
 * The signals that ask the program to end.
 *
 * @module
 */

/** A signal that asks the program to end. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/**
 * Waits for the first signal. From then on, a second one ends the process at once, with the exit code that a shell gives
 * to a program that the signal killed.
 */
export function stopSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let asked = false;
    for (const [signal, exitCode] of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (asked) Deno.exit(exitCode);
        asked = true;
        resolve(signal);
      });
    }
  });
}

// Windows has no SIGTERM to listen to. SIGHUP is what a closing terminal sends: it must not cut everyone off.
const SIGNALS: readonly (readonly [StopSignal, number])[] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]];
