/**
 * Waiting for a fact rather than for a time.
 *
 * A bound in milliseconds only ends a test that hangs: it says how long something takes at the most on a machine at rest, and
 * a machine that does other work at the same time gets {@linkcode BUSY_TIMES} times as much. What a test asserts must not
 * stand on such a bound.
 *
 * @module
 */

/** How many times longer a busy machine may take. */
export const BUSY_TIMES = 12;

/** Turns of the event loop without a change after which a count stands. */
const STANDING_TURNS = 100;

/**
 * Waits until `fact` holds.
 *
 * @param what What is waited for, for the message.
 * @param timeoutMs How long it takes at the most on a machine at rest.
 * @throws {Error} When it does not come to hold.
 */
export async function until(
  what: string,
  fact: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const startMs = performance.now();
  const endMs = startMs + timeoutMs * BUSY_TIMES;
  while (!await fact()) {
    if (performance.now() > endMs) throw new Error(`Not within ${timeoutMs * BUSY_TIMES} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/**
 * Waits until a count that grows has stopped growing. It looks at turns of the event loop rather than at the time: a process
 * that gets no processor for a while makes no turns, and whatever can go on goes on in each turn.
 *
 * @param what What is counted, for the message.
 */
export async function stands(what: string, count: () => number): Promise<void> {
  let seen = count();
  let turns = 0;
  await until(`${what} stands`, () => {
    const now = count();
    turns = now === seen ? turns + 1 : 0;
    seen = now;
    return now > 0 && turns >= STANDING_TURNS;
  }, 20_000);
}

/** Lets some turns of the event loop pass, in which whatever can happen at once happens. */
export async function someTurns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve));
}

/**
 * Gives what `promise` gives.
 *
 * @param timeoutMs How long it takes at the most on a machine at rest.
 * @throws {Error} When it does not settle.
 */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const busyMs = timeoutMs * BUSY_TIMES;
    timer = setTimeout(() => reject(new Error(`Not within ${busyMs} ms: ${what}`)), busyMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
