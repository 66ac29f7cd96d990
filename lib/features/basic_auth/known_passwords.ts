/**
 * Passwords that were right a short while ago, so that a page with a hundred files costs one check. What is kept is a keyed
 * hash, never a password.
 *
 * @module
 */

import { createHmac, randomBytes } from "node:crypto";

/** How long a check holds: after it, a user who was removed from the file is out, too. */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 4096;

/** The passwords of one site or route that were right. */
export class KnownPasswords {
  readonly #key = randomBytes(32);
  /** Until when each holds, oldest first. */
  readonly #until = new Map<string, number>();

  /** Whether this password was right for this hash of this user. */
  has(user: string, password: string, hash: string, nowMs: number): boolean {
    const until = this.#until.get(this.#digest(user, password, hash));
    return until !== undefined && until > nowMs;
  }

  /** Remembers that it was. */
  add(user: string, password: string, hash: string, nowMs: number): void {
    if (this.#until.size >= MOST_KEPT) {
      for (const digest of this.#until.keys()) {
        this.#until.delete(digest);
        break;
      }
    }
    this.#until.set(this.#digest(user, password, hash), nowMs + KEPT_MS);
  }

  #digest(user: string, password: string, hash: string): string {
    return createHmac("sha256", this.#key).update(`${user}\0${password}\0${hash}`).digest("base64");
  }
}
