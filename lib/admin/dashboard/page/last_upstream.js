/**
 * The question before a change that leaves a pool without an upstream that takes requests, the same in the dashboard and
 * in `bws top`. Whether it has to be asked is the server's decision.
 *
 * @module
 */

/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").Refusal} Refusal */

/** @type {import("../../snapshot.ts").LastUpstream} */
const TYPE = "urn:bws:last-upstream";

/**
 * Whether the server wants to be asked again, with `force=true`.
 *
 * @param {Refusal} refusal
 * @returns {boolean}
 */
export function wantsForce({ type }) {
  return type === TYPE;
}

/**
 * The question.
 *
 * @param {Pick<PoolSnapshot, "name">} pool
 * @returns {string}
 */
export function questionOf({ name }) {
  return `It is the last upstream of pool ${name} that takes requests. Press again to go on.`;
}
