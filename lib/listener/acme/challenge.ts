/**
 * The contract of the ways in which control of a name is proved (RFC 8555, section 8).
 *
 * @module
 */

/** What the authority looks for. */
export interface ChallengeTask {
  /** The name without `*.`. */
  readonly name: string;
  readonly token: string;
  /** The token with the thumbprint of the account's key. */
  readonly keyAuthorization: string;
}

/** A way to prove control of a name. */
export interface ChallengeSolver {
  /** Type of the challenge, as `http-01`. */
  readonly type: string;
  /**
   * Puts in place what the authority looks for, and waits until it can be found. What comes back removes it.
   *
   * @throws {AcmeError} When it cannot be put in place.
   */
  solve(task: ChallengeTask, signal: AbortSignal): Promise<AsyncDisposable>;
}
