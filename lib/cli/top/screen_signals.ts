/**
 * The signals that matter while a program has the whole terminal.
 *
 * @module
 */

/** Signals that end the program, and that of a changed size. `using` stops to listen. */
export class ScreenSignals {
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];

  /**
   * Begins to listen.
   *
   * @param end Called when the program is told to end.
   * @param resized Called when the terminal has another size.
   */
  constructor(end: () => void, resized: () => void) {
    const ends: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
    const resizes: readonly Deno.Signal[] = Deno.build.os === "windows" ? [] : ["SIGWINCH"];
    this.#listeners = [
      ...ends.map((signal) => [signal, end] as const),
      ...resizes.map((signal) => [signal, resized] as const),
    ];
    for (const [signal, listener] of this.#listeners) Deno.addSignalListener(signal, listener);
  }

  /** Stops to listen. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
