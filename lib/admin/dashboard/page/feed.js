/**
 * The page's connection to the server: snapshots in, changes out. It connects again for as long as the page is open.
 *
 * @module
 */

import { readSnapshots } from "./snapshot_stream.js";

/** @typedef {import("../../snapshot.ts").Refusal} Refusal */
/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../../snapshot.ts").UpstreamChange} UpstreamChange */

/** How the connection is. @typedef {"connecting" | "live" | "lost" | "locked"} FeedState */

const KEY = "bws-api-key";
const RETRY_MS = 1000;
const MOST_RETRY_MS = 5000;
// The server sends one a second. A laptop that slept has a connection that looks open and is dead.
const SILENCE_MS = 6000;

/** The connection. */
export class Feed {
  #key = sessionStorage.getItem(KEY) ?? "";
  /** @type {(() => void) | undefined} */
  #unlock;
  #onSnapshot;
  #onState;

  /**
   * @param {(snapshot: Snapshot) => void} onSnapshot
   * @param {(state: FeedState, keyRefused: boolean) => void} onState
   */
  constructor(onSnapshot, onState) {
    this.#onSnapshot = onSnapshot;
    this.#onState = onState;
  }

  /** Connects, and does so again whenever the connection ends. */
  async run() {
    this.#onState("connecting", false);
    for (let waitMs = RETRY_MS;; waitMs = Math.min(MOST_RETRY_MS, waitMs * 1.5)) {
      const status = await this.#follow();
      if (status === 401) await this.#askForKey();
      else {
        this.#onState("lost", false);
        if (status === 200) waitMs = RETRY_MS;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  /**
   * Uses a key, once the server has asked for one.
   *
   * @param {string} key
   */
  useKey(key) {
    this.#key = key;
    sessionStorage.setItem(KEY, key);
    this.#unlock?.();
  }

  /**
   * Changes an upstream.
   *
   * @param {string} id
   * @param {UpstreamChange} change
   * @param {boolean} force Whether the pool may be left without an upstream that takes requests.
   * @returns {Promise<Refusal | undefined>} Why it was not done, or undefined.
   */
  async change(id, change, force) {
    try {
      const response = await fetch(`api/upstreams/${encodeURIComponent(id)}${force ? "?force=true" : ""}`, {
        method: "PATCH",
        headers: { ...this.#headers(), "content-type": "application/json" },
        body: JSON.stringify(change),
      });
      if (response.ok) return undefined;
      const refusal = await response.json().catch(() => ({}));
      if (typeof refusal.error === "string") return refusal;
      return { type: "about:blank", error: `The server responded with ${response.status}` };
    } catch {
      return { type: "about:blank", error: "The server does not respond" };
    }
  }

  /** @returns {Promise<number>} The status of the response; 0 without one. */
  async #follow() {
    const aborter = new AbortController();
    let timer = setTimeout(() => aborter.abort(), SILENCE_MS);
    let status = 0;
    try {
      const response = await fetch("api/events", {
        headers: this.#headers(),
        cache: "no-store",
        signal: aborter.signal,
      });
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        return response.status;
      }
      for await (const snapshot of readSnapshots(response.body)) {
        clearTimeout(timer);
        timer = setTimeout(() => aborter.abort(), SILENCE_MS);
        if (status === 0) this.#onState("live", false);
        status = response.status;
        this.#onSnapshot(snapshot);
      }
    } catch {
      // Whatever broke the connection, the response is a new one.
    } finally {
      clearTimeout(timer);
    }
    return status;
  }

  async #askForKey() {
    const refused = this.#key !== "";
    this.#key = "";
    sessionStorage.removeItem(KEY);
    /** @type {Promise<void>} */
    const given = new Promise((resolve) => this.#unlock = resolve);
    this.#onState("locked", refused);
    await given;
  }

  /** @returns {Record<string, string>} */
  #headers() {
    return this.#key === "" ? {} : { authorization: `Bearer ${this.#key}` };
  }
}
