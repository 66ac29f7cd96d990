/**
 * Request bodies that a port of this process has broken: to their readers they look as if the client had left.
 *
 * @module
 */

const reasons = new WeakMap<ReadableStream, string>();

/** Notes that `body` is about to be broken, and why, in words for the log. */
export function noteCut(body: ReadableStream, reason: string): void {
  reasons.set(body, reason);
}

/** Why this process broke `body`; undefined when it did not. */
export function cutReason(body: ReadableStream): string | undefined {
  return reasons.get(body);
}
