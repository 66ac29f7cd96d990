/**
 * The signals that ask the program to end, and the one that asks it to read its config again.
 *
 * @module
 */

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
    for (const [signal, exitCode] of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (signal === "SIGHUP" && onHangUp !== undefined) return asked ? undefined : onHangUp();
        if (asked) Deno.exit(exitCode);
        asked = true;
        resolve(signal);
      });
    }
  });
}

// Windows has no SIGTERM to listen to. SIGQUIT is what containers made for nginx send. SIGHUP is what a closing terminal sends: it must not cut everyone off.
const SIGNALS: readonly (readonly [StopSignal, number])[] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGQUIT", 131], ["SIGHUP", 129]];
