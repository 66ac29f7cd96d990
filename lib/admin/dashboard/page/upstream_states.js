/**
 * The states of upstreams for people: how grave each is and what it means, the same in the dashboard and in `bws top`.
 * Their names and their precedence are those of `lib/upstream/condition/upstream_states.ts`.
 *
 * @module
 */

import { formatLeft } from "./format.js";

/** @typedef {import("../../snapshot.ts").AdminState} AdminState */
/** @typedef {import("../../snapshot.ts").UpstreamState} UpstreamState */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */

/** How grave something is. @typedef {"bad" | "warn" | "note" | "good"} Tone */

/**
 * All states, in their order of precedence.
 *
 * @type {Readonly<Record<UpstreamState, { tone: Tone, meaning: string }>>}
 */
export const STATES = {
  maintenance: { tone: "note", meaning: "An operator took it out. It gets no requests and no probes." },
  draining: { tone: "note", meaning: "It finishes what it has and gets no new requests." },
  unhealthy: { tone: "bad", meaning: "Its probes fail. It gets no requests until they pass again." },
  breaker_open: { tone: "bad", meaning: "Too many attempts failed. It gets no requests for a while." },
  ejected: { tone: "bad", meaning: "Its last attempts failed. It gets no requests for a while." },
  on_trial: { tone: "warn", meaning: "Its ejection is over. It gets one request at a time, until one goes well." },
  breaker_half_open: { tone: "warn", meaning: "A few requests at a time find out whether it works again." },
  slow_start: { tone: "note", meaning: "It is back. Its share of the load grows step by step." },
  active: { tone: "good", meaning: "It takes its share of the requests." },
};

/** How grave a tone is, the gravest at 0. @type {Readonly<Record<Tone, number>>} */
export const GRAVITY = { bad: 0, warn: 1, note: 2, good: 3 };

/** All states, the gravest first. @type {readonly UpstreamState[]} */
export const BY_GRAVITY = /** @type {UpstreamState[]} */ (Object.keys(STATES))
  .toSorted((a, b) => GRAVITY[STATES[a].tone] - GRAVITY[STATES[b].tone]);

/**
 * Where a state stands among all, the gravest at 0.
 *
 * @param {UpstreamState} state
 * @returns {number}
 */
export function rankOf(state) {
  return BY_GRAVITY.indexOf(state);
}

/**
 * The name of a state as it is read.
 *
 * @param {UpstreamState} state
 * @returns {string}
 */
export function wordOf(state) {
  return state.replaceAll("_", " ");
}

/**
 * What an operator decided of an upstream in that state.
 *
 * @param {UpstreamState} state
 * @returns {AdminState}
 */
export function adminStateOf(state) {
  return state === "draining" || state === "maintenance" ? state : "active";
}

/**
 * For how long the state lasts, in words; empty where nobody knows.
 *
 * @param {UpstreamSnapshot} upstream
 * @returns {string}
 */
export function timeLeft(upstream) {
  const ms = upstream.state === "ejected"
    ? upstream.ejectedForMs
    : upstream.state === "breaker_open"
    ? upstream.breakerRetryMs
    : upstream.state === "slow_start"
    ? upstream.slowStartMs
    : null;
  return ms === null ? "" : formatLeft(ms);
}

/**
 * The part of an upstream's URL that distinguishes it from others.
 *
 * @param {string} url
 * @returns {string}
 */
export function shortUrl(url) {
  return url.replace(/^http:\/\/|\/$/g, "");
}

/**
 * What the probes say of an upstream.
 *
 * @param {{ health: string }} upstream
 * @param {{ probed: boolean }} pool
 */
export function probesOf({ health }, { probed }) {
  return probed ? health : "none configured";
}
