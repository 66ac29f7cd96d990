/**
 * The error of a command line that cannot be understood.
 *
 * @module
 */

/** The command was used wrongly: nothing was done. The program ends with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
