/**
 * Waiting for a promise with a timeout.
 *
 * @module
 */

/** Waits for `promise` at most `timeoutMs`. Returns whether it was resolved by then; rejects when it rejects. */
export async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), timeoutMs));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
