/**
 * Times that a busy machine cannot spoil.
 *
 * @module
 */

/**
 * The shortest of some runs, in milliseconds. Work that costs too much is slow each time; a machine that does something else
 * meanwhile lengthens most runs, and hardly all of them.
 *
 * @param boundMs Below it no further run is made.
 */
export function quickestMs(boundMs: number, run: () => void): number {
  let leastMs = Infinity;
  for (let i = 0; i < RUNS && leastMs >= boundMs; i++) {
    const startMs = performance.now();
    run();
    leastMs = Math.min(leastMs, performance.now() - startMs);
  }
  return leastMs;
}

const RUNS = 10;
