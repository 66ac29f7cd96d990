/**
 * When the next probe of an upstream is due. Chance spreads probes in time, so that a thousand upstreams of one config are
 * not all asked at once.
 *
 * @module
 */

/** What is known of an upstream: nothing for sure, something since its last probe, or something for longer. */
export type Certainty = "unknown" | "new" | "known";

/**
 * Time until the first probe. Soon, whatever the interval: an upstream that is believed to be well may not be, and one
 * that is not believed waits for it.
 *
 * @param random A number from 0 to 1, without 1.
 */
export function firstPauseMs(intervalMs: number, random: number): number {
  return random * Math.min(intervalMs, SOON_MS);
}

/** Time from the end of a probe to the next one. `random` is as for {@linkcode firstPauseMs}. */
export function pauseMs(intervalMs: number, certainty: Certainty, random: number): number {
  // First verdicts come close together; from here on each upstream has a place of its own within the interval.
  if (certainty === "new") return random * intervalMs;
  const baseMs = certainty === "known" ? intervalMs : Math.min(intervalMs, SOON_MS);
  return baseMs * (1 - JITTER + 2 * JITTER * random);
}

const SOON_MS = 1000;
const JITTER = 0.1;
