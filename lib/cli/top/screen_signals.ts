/**
 * The signals to handle while a program uses the terminal in full-screen mode.
 *
 * @module
 */

/** Handles signals that end the program, and the one for a changed size. `using` removes the handlers. */
export class ScreenSignals {
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];

  /**
   * Adds the handlers.
   *
   * @param end Called at a signal that ends the program.
   * @param resized Called when the size of the terminal has changed.
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

  /** Removes the handlers. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}
