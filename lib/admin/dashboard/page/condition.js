/**
 * The conditions of upstreams in words, the same in the dashboard and in `bws top`.
 *
 * @module
 */

import { formatLeft } from "./format.js";

/** @typedef {import("../../snapshot.ts").Condition} Condition */
/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */

/** How grave something is. @typedef {"bad" | "warn" | "note" | "good"} Tone */

/**
 * Conditions, the gravest first: what each is called, how grave it is, and what it means.
 *
 * @type {Readonly<Record<Condition, { word: string, tone: Tone, meaning: string }>>}
 */
export const CONDITIONS = {
  unhealthy: { word: "unhealthy", tone: "bad", meaning: "Its probes fail. It gets no requests until they pass again." },
  open: { word: "breaker open", tone: "bad", meaning: "Too many attempts failed. It is left alone for a while." },
  ejected: { word: "ejected", tone: "bad", meaning: "It failed often of late. It is out of its pool for a while." },
  half_open: { word: "half-open", tone: "warn", meaning: "A few attempts find out whether it works again." },
  slow_start: { word: "slow start", tone: "note", meaning: "It is back. Its share of the load grows step by step." },
  draining: { word: "draining", tone: "note", meaning: "It ends what it has and gets no new requests." },
  maintenance: { word: "maintenance", tone: "note", meaning: "An operator took it out. It gets no requests." },
  healthy: { word: "healthy", tone: "good", meaning: "It takes requests." },
};

const RANKS = new Map(Object.keys(CONDITIONS).map((condition, rank) => [condition, rank]));

/**
 * Where a condition stands among all, the gravest at 0.
 *
 * @param {Condition} condition
 * @returns {number}
 */
export function rankOf(condition) {
  return RANKS.get(condition) ?? 0;
}

/**
 * Whether an upstream of that condition gets requests.
 *
 * @param {Condition} condition
 * @returns {boolean}
 */
export function takesRequests(condition) {
  return condition === "healthy" || condition === "slow_start" || condition === "half_open";
}

/**
 * Whether a pool has no other upstream that takes requests.
 *
 * @param {PoolSnapshot} pool
 * @param {UpstreamSnapshot} upstream
 * @returns {boolean}
 */
export function isLast(pool, upstream) {
  return takesRequests(upstream.condition) &&
    !pool.upstreams.some((other) => other.id !== upstream.id && takesRequests(other.condition));
}

/**
 * For how long the condition lasts, in words; empty where nobody knows.
 *
 * @param {UpstreamSnapshot} upstream
 * @returns {string}
 */
export function timeLeft(upstream) {
  const ms = upstream.condition === "ejected"
    ? upstream.ejectedForMs
    : upstream.condition === "open"
    ? upstream.breakerRetryMs
    : upstream.condition === "slow_start"
    ? upstream.slowStartMs
    : null;
  return ms === null ? "" : formatLeft(ms);
}

/**
 * The part of an upstream's URL that tells it from others.
 *
 * @param {string} url
 * @returns {string}
 */
export function shortUrl(url) {
  return url.replace(/^http:\/\/|\/$/g, "");
}
