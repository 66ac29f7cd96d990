/**
 * How many calls of middleware have not returned. What middleware does with the runtime is not known, so that a loop which
 * waits for events itself leaves the runtime its turn more often meanwhile.
 *
 * @module
 */

/** The calls of one thread. */
class MiddlewareCalls {
  /** Those that have not returned. */
  pending = 0;
}

/** The calls of this thread. */
export const middlewareCalls = new MiddlewareCalls();
