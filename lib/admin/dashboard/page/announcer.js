/**
 * Says changes of state to those who do not see them.
 *
 * @module
 */

import { shortUrl, wordOf } from "./upstream_states.js";

/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */

const MOST_SAID = 3;

/** Speaks through an element with `role=status`. */
export class Announcer {
  #place;
  /** @type {Map<string, string> | undefined} */
  #known;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  /** @param {Snapshot} snapshot */
  update({ pools }) {
    const before = this.#known;
    const now = new Map();
    /** @type {string[]} */
    const changes = [];
    for (const { upstreams } of pools) {
      for (const { id, url, state } of upstreams) {
        now.set(id, state);
        const last = before?.get(id);
        if (last !== undefined && last !== state) changes.push(`${shortUrl(url)} is ${wordOf(state)}`);
      }
    }
    this.#known = now;
    if (changes.length > 0) this.say(changes);
  }

  /** @param {readonly string[]} sentences */
  say(sentences) {
    const rest = sentences.length - MOST_SAID;
    this.#place.textContent = sentences.slice(0, MOST_SAID).join(". ") + (rest > 0 ? `, and ${rest} more` : "");
  }
}
