/**
 * Frees memory that the runtime has taken over, at once. Left to the garbage collector, each 64 MB that pass through cost a
 * collection of the whole heap, which was a third of the processor time of responses of 64 KB; and memory that is used again
 * at once is still in the processor's cache.
 *
 * This relies on something that the runtime does and does not promise: its server takes a piece of a body stream over,
 * holding the memory itself, within the very call that enqueues the piece, if it was waiting for one. So it is done only on
 * versions for which the tests have shown it; on others, memory waits for the collector.
 *
 * @module
 */

/** Versions of Deno for which the tests have shown it. */
const SEEN_ON = /^2\.9\./;

const TAKEN_AT_ONCE = SEEN_ON.test(globalThis.Deno?.version?.deno ?? "");

/** Smaller ones cost the collector less than this does. */
const WORTH_BYTES = 8 * 1024;

/**
 * Detaches the buffer that `bytes` lie in. For pieces of bodies use `release()` of `body.ts`, which looks who owns them.
 *
 * @param bytes What the runtime has taken, or nobody needs any more; nobody else's, with nothing else in its buffer.
 */
export function detachBuffer(bytes: Uint8Array<ArrayBuffer>): void {
  if (TAKEN_AT_ONCE && bytes.buffer.byteLength >= WORTH_BYTES) bytes.buffer.transfer(0);
}
