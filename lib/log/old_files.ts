/**
 * Compresses and deletes the old files of a log file.
 *
 * @module
 */

import { gzipFile } from "./gzip_file.ts";
import { expired, oldFiles, type Rotation } from "./rotation.ts";

/** Deletes the old files that are not kept, and compresses the others where that is configured. */
export async function tidy(path: string, rotation: Rotation, now: () => number): Promise<void> {
  await removeExpired(path, rotation, now());
  if (!rotation.compress) return;
  for (const { path: old, compressed } of await oldFiles(path)) {
    if (!compressed) await compress(old);
  }
}

async function removeExpired(path: string, rotation: Rotation, nowMs: number): Promise<void> {
  for (const { path: old } of expired(await oldFiles(path), rotation, nowMs)) await Deno.remove(old).catch(() => {});
}

/**
 * Compresses a file in a thread of its own: the runtime compresses within a call, and the loop would wait. If no thread can be
 * started, as in a program that was bundled without its module, in this one, piece by piece.
 */
async function compress(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<"done" | "none" | "failed">();
  let worker: Worker | undefined;
  let ready = false;
  try {
    worker = new Worker(new URL("./gzip_worker.ts", import.meta.url).href, { type: "module", name: "bws log files" });
    worker.onmessage = ({ data }: MessageEvent<"ready" | "done" | "failed">) => {
      if (data !== "ready") return resolve(data);
      ready = true;
      worker?.postMessage(path);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(ready ? "failed" : "none");
    };
  } catch {
    resolve("none");
  }
  const outcome = await promise;
  worker?.terminate();
  if (outcome === "failed") throw new Error(`${path} could not be compressed`);
  if (outcome === "none") await gzipFile(path);
}
