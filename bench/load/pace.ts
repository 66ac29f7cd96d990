/**
 * When requests are due.
 *
 * @module
 */

/** When requests are due, one after the other. */
export interface Pace {
  /** When the next request is due, in milliseconds; Infinity after the last one. */
  readonly dueMs: number;
  /** The next request was sent. */
  next(): void;
}

/**
 * Requests with the gaps of a crowd that knows nothing of one another (a Poisson process), the same in every run.
 *
 * @param rate A second, on average.
 */
export function randomPace(rate: number, startMs: number, endMs: number): Pace {
  const random = seeded();
  const gapMs = () => -Math.log(1 - random()) * 1000 / rate;
  const pace = {
    dueMs: startMs + gapMs(),
    next(): void {
      pace.dueMs += gapMs();
      if (pace.dueMs > endMs) pace.dueMs = Infinity;
    },
  };
  return pace;
}

/** A request whenever a connection is free. */
export function closedPace(startMs: number, endMs: number, nowMs: () => number): Pace {
  const pace = {
    dueMs: startMs,
    next(): void {
      pace.dueMs = nowMs();
      if (pace.dueMs > endMs) pace.dueMs = Infinity;
    },
  };
  return pace;
}

/** Random numbers from 0 to 1 that are the same in every run (a linear congruential generator). */
function seeded(): () => number {
  let state = 20_250_101;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
