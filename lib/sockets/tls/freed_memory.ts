/**
 * Has V8 collect the memory of TLS connections that have ended. About 9 KB of each stay with the runtime until the next
 * full garbage collection, and V8, which does not know of them, would not begin one for a long time.
 *
 * @module
 */

/** Connections after which a collection begins: about 36 MB. */
const CONNECTIONS = 4096;
/**
 * Memory outside its heap that V8 is made to know of: above 64 MB more than after the last collection it begins to mark,
 * step by step. Nothing ever touches this memory, so that the system does not provide it.
 */
const KNOWN_BYTES = 128 * 1024 * 1024;

let ended = 0;
let known: ArrayBuffer | undefined;

/** A connection has ended. */
export function connectionFreed(): void {
  if (++ended < CONNECTIONS) return;
  ended = 0;
  try {
    known = new ArrayBuffer(KNOWN_BYTES);
  } catch {
    // The system has no addresses left, and V8 collects all it can.
    known = undefined;
  }
}

/** Whether V8 knows of more memory than there is, by how many bytes. For tests. */
export function knownBytes(): number {
  return known?.byteLength ?? 0;
}
