/**
 * Passwords that were right a short while ago, so that a page with a hundred files costs one check. What is kept is a keyed
 * hash, never a password.
 *
 * @module
 */

import { KeyedHash } from "../keyed_hash.ts";

/** How long a check holds: after it, a user who was removed from the file is out, too. */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 4096;

/** The passwords of one site or route that were right. */
export class KnownPasswords {
  readonly #hash = new KeyedHash();
  /** Until when each holds, oldest first. */
  readonly #until = new Map<string, number>();

  /** What a password for a hash of a user is found by. */
  keyOf(user: string, password: string, hash: string): string {
    return this.#hash.of(`${user}\0${password}\0${hash}`).toString("base64");
  }

  /** Whether it was right. */
  has(key: string, nowMs: number): boolean {
    const until = this.#until.get(key);
    return until !== undefined && until > nowMs;
  }

  /** Remembers that it was. */
  add(key: string, nowMs: number): void {
    // Behind the others: it is the youngest.
    this.#until.delete(key);
    if (this.#until.size >= MOST_KEPT) {
      const oldest = this.#until.keys().next();
      if (oldest.done !== true) this.#until.delete(oldest.value);
    }
    this.#until.set(key, nowMs + KEPT_MS);
  }

  /** A number that is always the same for a name, and that nobody outside can know. */
  drawOf(user: string): number {
    return this.#hash.of(user).readUInt32LE(0);
  }
}
