/**
 * A worker that says when each request is due. It sleeps in `Atomics.wait`, which keeps time to about 0.1 ms; the timers of
 * the runtime know whole milliseconds only. The gaps are those of a crowd that knows nothing of one another (a Poisson
 * process), and the same in every run.
 *
 * @module
 */

/** What is to be paced. */
export interface Pace {
  /** A second, on average. */
  rate: number;
  /** Length of what counts. */
  seconds: number;
  /** Length of what comes before, which does not. */
  leadInSeconds: number;
}

/** That a request is due. */
export interface Due {
  dueMs: number;
  /** Whether its latency counts. */
  counts: boolean;
}

/** Now, on a clock that threads share, in milliseconds. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Random numbers from 0 to 1 that are the same in every run (a linear congruential generator). */
function seeded(): () => number {
  let state = 20_250_101;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function run({ rate, seconds, leadInSeconds }: Pace): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const random = seeded();
  const startMs = sharedNowMs();
  const countsMs = startMs + leadInSeconds * 1000;
  let dueMs = startMs;
  while (true) {
    dueMs += -Math.log(1 - random()) * 1000 / rate;
    if (dueMs > countsMs + seconds * 1000) break;
    for (let leftMs = dueMs - sharedNowMs(); leftMs > 0; leftMs = dueMs - sharedNowMs()) {
      Atomics.wait(cell, 0, 0, leftMs);
    }
    postMessage({ dueMs, counts: dueMs >= countsMs });
  }
  postMessage(null);
}

declare function postMessage(due: Due | null): void;

if (typeof WorkerGlobalScope !== "undefined") addEventListener("message", (event) => run((event as MessageEvent).data));

declare const WorkerGlobalScope: unknown;
