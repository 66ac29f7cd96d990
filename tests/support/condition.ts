/**
 * Waiting for a fact rather than for a time.
 *
 * @module
 */

/**
 * Waits until `fact` holds.
 *
 * @param what What is waited for, for the message.
 * @throws {Error} When it does not come to hold within `timeoutMs`.
 */
export async function until(what: string, fact: () => boolean, timeoutMs = 5000): Promise<void> {
  const startMs = performance.now();
  while (!fact()) {
    if (performance.now() - startMs > timeoutMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/**
 * Gives what `promise` gives.
 *
 * @throws {Error} When it does not settle within `timeoutMs`.
 */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not within ${timeoutMs} ms: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
