/**
 * Frees memory that the runtime has taken over, without waiting for the garbage collector. Each 64 MB of bodies would
 * otherwise cost a collection of the whole heap, which was a third of the processor time of responses of 64 KB; and
 * memory that is reused at once is still in the processor's cache.
 *
 * This relies on undocumented behaviour of the runtime: if its server is waiting for a piece of a body stream, it takes
 * over the memory of the piece during the call that enqueues it. So buffers are detached only on versions for which the
 * tests have shown this; on other versions the garbage collector frees the memory.
 *
 * @module
 */

/** Versions of Deno for which the tests have shown this behaviour. */
const TESTED_VERSIONS = /^2\.9\./;

const SUPPORTED = TESTED_VERSIONS.test(globalThis.Deno?.version?.deno ?? "");

/** Smaller buffers cost the garbage collector less than detaching them does. */
const MIN_BYTES = 8 * 1024;

/**
 * Detaches the buffer of `bytes`. For pieces of bodies use `release()` of `body.ts`, which checks who owns them.
 *
 * @param bytes Bytes that the runtime has taken over, or that are no longer needed. Nobody else refers to their buffer,
 * which contains nothing else.
 */
export function detachBuffer(bytes: Uint8Array<ArrayBuffer>): void {
  if (SUPPORTED && bytes.buffer.byteLength >= MIN_BYTES) bytes.buffer.transfer(0);
}
