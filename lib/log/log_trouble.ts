/**
 * Reports of a log that cannot be written, or not be rotated: on standard error, which is all that is left then.
 *
 * @module
 */

/** Says what could not be done with an output. */
export function reportTrouble(what: string, output: string, error: unknown): void {
  const cause = error instanceof Error ? error.message : String(error);
  try {
    const text = `bws: cannot ${what} ${JSON.stringify(output)}: ${cause}\n`;
    // Asynchronously, because the reader of standard error may have stopped reading. If that fails too, it cannot be
    // reported.
    Deno.stderr.write(new TextEncoder().encode(text)).catch(() => {});
  } catch {
    // Standard error is closed.
  }
}
