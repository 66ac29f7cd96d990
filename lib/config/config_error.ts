/**
 * The error for a config that is refused, with all its problems.
 *
 * @module
 */

import { formatProblems, type Problem } from "./problem.ts";

/** A config was refused. Its message is the formatted text of all problems. */
export class ConfigError extends Error {
  /** The class's name. */
  override readonly name = "ConfigError";
  /** All problems, in the order of the file. */
  readonly problems: readonly Problem[];

  /**
   * Creates the error.
   *
   * @param problems At least one.
   * @param options The `cause`, where the file could not be read.
   */
  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(formatProblems(problems), options);
    this.problems = problems;
  }
}
