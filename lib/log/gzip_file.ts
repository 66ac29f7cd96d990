/**
 * Compresses a file that is written no more, in place: `name` becomes `name.gz`.
 *
 * @module
 */

/** Another process that had the file open may write to it for a second after it was renamed. */
const QUIET_MS = 3000;
const TRIES = 100;
/** A temporary file of this age is that of a process that was killed. */
const STALE_MS = 3_600_000;

/**
 * Compresses a file with gzip and removes the original.
 *
 * @param quietMs How long the file must not have been written.
 * @throws {Error} If it cannot be read, or the other one not be written; then the original stays.
 */
export async function gzipFile(path: string, quietMs = QUIET_MS): Promise<void> {
  const temporary = `${path}.gz.tmp`;
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await Deno.stat(path);
    const restMs = (before.mtime?.getTime() ?? 0) + quietMs - Date.now();
    if (restMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, restMs));
      continue;
    }
    await removeStale(temporary);
    // Fails if another process compresses the file at this time.
    const target = await Deno.open(temporary, { write: true, createNew: true, mode: before.mode ?? 0o600 });
    try {
      const source = await Deno.open(path);
      await source.readable.pipeThrough(new CompressionStream("gzip")).pipeTo(target.writable);
      const after = await Deno.stat(path);
      // Lines that arrived meanwhile are not in the compressed file.
      if (after.size !== before.size) {
        await Deno.remove(temporary);
        continue;
      }
      await Deno.rename(temporary, `${path}.gz`);
      await Deno.remove(path);
      return;
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
  }
}

async function removeStale(path: string): Promise<void> {
  try {
    const { mtime } = await Deno.stat(path);
    if (Date.now() - (mtime?.getTime() ?? 0) > STALE_MS) await Deno.remove(path);
  } catch {
    // There is none.
  }
}
