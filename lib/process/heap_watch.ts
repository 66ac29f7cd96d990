/**
 * Whether the heap of this thread is nearly full. V8 ends the whole process when the heap of any thread is full, and the
 * limit of a thread (`resourceLimits` of node:worker_threads) does not help: under Deno 2.9.6 a thread that reaches it may
 * continue with a function cut off in the middle, without an event. So a worker has to be replaced before.
 *
 * @module
 */

import v8 from "node:v8";
import type { Log } from "../log/log.ts";

/** The heap of a thread, in bytes. */
export interface HeapReading {
  readonly used: number;
  /** Where V8 ends the process. */
  readonly limit: number;
}

/** From this share of its limit a heap is nearly full. */
const FULL = 0.85;
/** Consecutive readings that are needed: a single one may include garbage that is about to be collected. */
const READINGS = 3;
const MIB = 2 ** 20;
/** The share of new objects in what V8 calls the limit; the process ends when the rest is full. */
const YOUNG = 96 * MIB;

/** Watches the heap of its thread. It has no timer: its owner calls {@linkcode HeapWatch.sample} each second. */
export class HeapWatch {
  readonly #log: Pick<Log, "log">;
  readonly #read: () => HeapReading;
  #high = 0;

  /** @param log Gets a line each time that the heap becomes nearly full. */
  constructor(log: Pick<Log, "log">, read: () => HeapReading = readHeap) {
    this.#log = log;
    this.#read = read;
  }

  /** Takes a reading. Returns whether the heap is nearly full. */
  sample(): boolean {
    const { used, limit } = this.#read();
    this.#high = used >= FULL * limit ? this.#high + 1 : 0;
    if (this.#high === READINGS) {
      this.#log.log("warn", "The heap of this thread is nearly full", {
        used_mb: Math.round(used / MIB),
        limit_mb: Math.round(limit / MIB),
        advice:
          "raise the limit (DENO_V8_FLAGS=--max-old-space-size=MB) where the work needs it; a heap that fills again " +
          "with the same work is a leak",
      });
    }
    return this.#high >= READINGS;
  }
}

function readHeap(): HeapReading {
  const { used_heap_size: used, heap_size_limit: all } = v8.getHeapStatistics();
  return { used, limit: Math.max(all - YOUNG, all / 2) };
}
