/**
 * Peak EWMA of an upstream's latency: a slow response raises the average to its own value at once, a fast one lowers it
 * gradually. Without traffic it decays, so that a slow upstream is tried again.
 *
 * @module
 */

import { sharedTime } from "../state/shared_time.ts";
import { LATENCY_AT, LATENCY_US, type UpstreamMemory } from "./condition/condition_fields.ts";

/** Time after which an old value has 1/e of its weight left. */
const DECAY_MS = 10_000;

/** Takes a sample into `memory`. The shared time must have been taken just before. */
export function observeLatency({ fields, times }: UpstreamMemory, latencyMs: number): void {
  const sampleUs = Math.max(1, Math.min(latencyMs * 1000, 0x7fffffff));
  const { nowMs } = sharedTime;
  const oldUs = Atomics.load(fields, LATENCY_US);
  const ageMs = nowMs - times[LATENCY_AT];
  times[LATENCY_AT] = nowMs;
  // Two workers may do this at the same time. One sample is lost then, in an average of hundreds.
  if (sampleUs >= oldUs || ageMs < 0) return void Atomics.store(fields, LATENCY_US, sampleUs);
  // A sample of an age of 0 would weigh nothing: many responses in one millisecond would never bring the average down.
  const kept = Math.exp(-Math.max(ageMs, 1) / DECAY_MS);
  Atomics.store(fields, LATENCY_US, sampleUs + (oldUs - sampleUs) * kept);
}

/** The average in milliseconds, as of when the shared time was last taken; 0 before the first sample. */
export function latencyMs({ fields, times }: UpstreamMemory): number {
  const us = Atomics.load(fields, LATENCY_US);
  if (us === 0) return 0;
  const ageMs = sharedTime.nowMs - times[LATENCY_AT];
  const faded = ageMs < 1000 ? us : us * Math.exp(-ageMs / DECAY_MS);
  return Math.max(faded, 1) / 1000;
}
