/**
 * Requests that a service let pass a short while ago. What is kept of their credentials is a keyed hash.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { headerValues } from "../../http/header_lines.ts";
import { KeyedHash } from "../keyed_hash.ts";

const MOST_KEPT = 4096;

/** What holds for a request that passed. */
export interface Pass {
  /** Fields for upstreams. */
  readonly lines: readonly string[];
  /** The user's name, or empty. */
  readonly user: string;
}

interface KeptPass extends Pass {
  readonly untilMs: number;
}

/** The passes of one table. */
export class PassedCache {
  readonly #hash = new KeyedHash();
  /** Oldest first. */
  readonly #kept = new Map<string, KeptPass>();
  readonly #keptMs: number;
  readonly #byUri: boolean;

  /** @param byUri Whether a pass holds for the same method, host and URI alone. */
  constructor(keptMs: number, byUri: boolean) {
    this.#keptMs = keptMs;
    this.#byUri = byUri;
  }

  /** What passes of a request are found by; undefined for one without credentials. */
  keyOf({ head, forwarded, path, query, user, clientAddress, clientScheme }: Exchange): string | undefined {
    const credentials = [headerValues(head.headers, "authorization"), headerValues(head.headers, "cookie")];
    if (credentials.every((values) => values.length === 0)) return undefined;
    const about = this.#byUri ? [head.method, clientScheme, head.authority, forwarded?.host, path, query] : [];
    // The user, since basic_auth and jwt may have taken the credentials away.
    const text = JSON.stringify([credentials, user, clientAddress, about]);
    return this.#hash.of(text).toString("base64");
  }

  /** The pass that still holds. */
  find(key: string, nowMs: number): Pass | undefined {
    const pass = this.#kept.get(key);
    if (pass === undefined || pass.untilMs > nowMs) return pass;
    this.#kept.delete(key);
    return undefined;
  }

  /** Keeps a pass. */
  add(key: string, pass: Pass, nowMs: number): void {
    this.#kept.delete(key);
    if (this.#kept.size >= MOST_KEPT) {
      const oldest = this.#kept.keys().next();
      if (oldest.done !== true) this.#kept.delete(oldest.value);
    }
    this.#kept.set(key, { ...pass, untilMs: nowMs + this.#keptMs });
  }
}
