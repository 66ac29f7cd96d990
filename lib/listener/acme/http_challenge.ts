/**
 * Proof over HTTP (RFC 8555, section 8.3): the listener responds with what stands in the store, whichever worker and
 * process of the store the authority reaches.
 *
 * @module
 */

import { AcmeError } from "./acme_error.ts";
import type { CertificateStore } from "./certificate_store.ts";
import type { ChallengeSolver, ChallengeTask } from "./challenge.ts";

/** The solver of `http-01`. */
export class HttpChallenge implements ChallengeSolver {
  readonly type = "http-01";
  readonly #store: CertificateStore;

  constructor(store: CertificateStore) {
    this.#store = store;
  }

  async solve({ token, keyAuthorization }: ChallengeTask): Promise<AsyncDisposable> {
    const key = challengeKey(token);
    if (key === undefined) {
      throw new AcmeError("Cannot use the token of the challenge: it has other characters than Base64 of URLs");
    }
    await this.#removeExpired();
    await this.#store.put(key, JSON.stringify({ keyAuthorization, untilMs: Date.now() + LIFETIME_MS }));
    return { [Symbol.asyncDispose]: () => this.#store.delete(key) };
  }

  // Of processes that ended during an order.
  async #removeExpired(): Promise<void> {
    for (const key of await this.#store.list(FOLDER)) {
      if (await valid(this.#store, key) === undefined) await this.#store.delete(key);
    }
  }
}

/** The response to the request of an authority; undefined where no order under way has this token. Never rejects. */
export async function challengeResponse(store: CertificateStore, token: string): Promise<string | undefined> {
  const key = challengeKey(token);
  return key === undefined ? undefined : await valid(store, key).catch(() => undefined);
}

async function valid(store: CertificateStore, key: string): Promise<string | undefined> {
  const text = await store.get(key);
  if (text === undefined) return undefined;
  const { keyAuthorization, untilMs } = JSON.parse(text) as { keyAuthorization: string; untilMs: number };
  return untilMs > Date.now() ? keyAuthorization : undefined;
}

/** Clients send tokens, too: only what is one can be a key. */
function challengeKey(token: string): string | undefined {
  // A key does not begin with "-" everywhere, so a letter goes in front.
  return TOKEN.test(token) ? `${FOLDER}/t${token}` : undefined;
}

const TOKEN = /^[A-Za-z0-9_-]{16,200}$/;
const FOLDER = "challenges";
/** Longer than an order may take. */
const LIFETIME_MS = 60 * 60_000;
