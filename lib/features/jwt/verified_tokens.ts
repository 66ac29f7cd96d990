/**
 * Tokens that were verified a short while ago, so that a page with a hundred files costs one check of a signature. What is kept is
 * a hash of a token.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Longest time that a check holds: after it, a key that was withdrawn is known to be. */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 4096;

interface Kept<Value> {
  readonly value: Value;
  /** In milliseconds since 1970. */
  readonly untilMs: number;
}

/** What is known of verified tokens. */
export class VerifiedTokens<Value> {
  /** Oldest first. */
  readonly #kept = new Map<string, Kept<Value>>();
  #version = "";

  /** What is known of a token. `version` is that of the keys. */
  find(token: string, version: string): Value | undefined {
    if (version !== this.#version) {
      this.#version = version;
      this.#kept.clear();
      return undefined;
    }
    if (this.#kept.size === 0) return undefined;
    const key = digest(token);
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.untilMs > Date.now()) return kept?.value;
    this.#kept.delete(key);
    return undefined;
  }

  /** Keeps what is known until `untilMs` at most. */
  add(token: string, value: Value, untilMs: number): void {
    if (this.#kept.size >= MOST_KEPT) {
      const oldest = this.#kept.keys().next();
      if (oldest.done !== true) this.#kept.delete(oldest.value);
    }
    this.#kept.set(digest(token), { value, untilMs: Math.min(untilMs, Date.now() + KEPT_MS) });
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
