/**
 * Numbers as people read them, the same in the dashboard and in `bws top`.
 *
 * @module
 */

/** What stands where there is no figure. */
export const NONE = "–";

/**
 * A figure a second, or a count.
 *
 * @param {number} value
 * @returns {string}
 */
export function formatCount(value) {
  if (value === 0) return "0";
  if (value < 0.05) return "<0.1";
  if (value < 9.95) return value.toFixed(1);
  if (value < 99_999.5) return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
  return value < 999_500 ? `${Math.round(value / 1000)}k` : `${(value / 1e6).toFixed(value < 9.95e6 ? 2 : 1)}M`;
}

/**
 * A whole number.
 *
 * @param {number} value
 * @returns {string}
 */
export function formatWhole(value) {
  return value < 10 ? String(Math.round(value)) : formatCount(value);
}

/**
 * A share from 0 to 1.
 *
 * @param {number} value
 * @returns {string}
 */
export function formatShare(value) {
  const percent = value * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.1) return "<0.1 %";
  // Not all of them, and not rounded to all.
  if (percent >= 99.5 && percent < 100) return `${Math.min(99.9, percent).toFixed(1)} %`;
  return `${percent.toFixed(percent < 9.95 ? 1 : 0)} %`;
}

/**
 * A short time, in milliseconds; null is none. Histograms end at a minute: longer times are not distinguished.
 *
 * @param {number | null} ms
 * @returns {string}
 */
export function formatMs(ms) {
  if (ms === null) return NONE;
  if (ms >= 60_000) return "≥60 s";
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 9950 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}

/**
 * Bytes.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
  if (bytes < 999.5) return `${Math.round(bytes)} B`;
  for (const [unit, size] of UNITS) {
    const value = bytes / size;
    if (value < 999.5) return `${value.toFixed(value < 9.95 ? 1 : 0)} ${unit}`;
  }
  return `${(bytes / 1e12).toFixed(1)} TB`;
}

/** @type {readonly (readonly [string, number])[]} */
const UNITS = [["kB", 1e3], ["MB", 1e6], ["GB", 1e9]];

/**
 * A long time, in milliseconds: its two largest units.
 *
 * @param {number} ms
 * @returns {string}
 */
export function formatDuration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
}

/**
 * Time that is left, in milliseconds; never less than a second.
 *
 * @param {number} ms
 * @returns {string}
 */
export function formatLeft(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/**
 * The time of the day, in milliseconds since 1970.
 *
 * @param {number} ms
 * @returns {string}
 */
export function formatClock(ms) {
  const time = new Date(ms);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
