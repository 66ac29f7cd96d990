/**
 * Peak EWMA of an upstream's latency: a slow response raises the average to its own value at once, a fast one lowers it
 * gradually. Without traffic it decays, so that a slow upstream is tried again.
 *
 * @module
 */

import { fieldAt } from "../state/shared_state.ts";
import { sharedTime } from "../state/shared_time.ts";
import { LATENCY_AT, LATENCY_US, type UpstreamMemory } from "./condition/condition_fields.ts";

/** Time after which an old value has 1/e of its weight left. */
const DECAY_MS = 10_000;

/** Takes a sample into `memory`. The shared time must have been taken just before. */
export function observeLatency({ fields, times, shared }: UpstreamMemory, latencyMs: number): void {
  const sampleUs = Math.max(1, Math.min(latencyMs * 1000, 0x7fffffff)) | 0;
  const { nowMs } = sharedTime;
  const oldUs = fieldAt(fields, LATENCY_US, shared);
  const ageMs = nowMs - times[LATENCY_AT];
  times[LATENCY_AT] = nowMs;
  // Two workers may do this at the same time. One sample is lost then, in an average of hundreds.
  let us = sampleUs;
  if (sampleUs < oldUs && ageMs >= 0) {
    // A sample of an age of 0 would weigh nothing: many responses in one millisecond would never bring the average down.
    us += (oldUs - sampleUs) * keptShare(Math.max(ageMs, 1));
  }
  if (shared) Atomics.store(fields, LATENCY_US, us);
  else fields[LATENCY_US] = us;
}

/** Share of an old value that is left after `ageMs`. */
function keptShare(ageMs: number): number {
  const part = ageMs / DECAY_MS;
  // Most responses follow the last one at once: the first terms of the series are exact to 1e-9, and no call.
  return ageMs < 20 ? 1 - part + part * part / 2 : Math.exp(-part);
}

/** The average in milliseconds, as of when the shared time was last taken; 0 before the first sample. */
export function latencyMs({ fields, times }: UpstreamMemory): number {
  const us = Atomics.load(fields, LATENCY_US);
  if (us === 0) return 0;
  const ageMs = sharedTime.nowMs - times[LATENCY_AT];
  const faded = ageMs < 1000 ? us : us * Math.exp(-ageMs / DECAY_MS);
  return Math.max(faded, 1) / 1000;
}
