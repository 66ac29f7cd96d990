/**
 * The keys of an issuer, fetched from its JWKS (RFC 7517, section 5). Earlier keys hold while the issuer cannot be asked.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { ServiceClient } from "../../upstream/service_client.ts";
import { isObject, keyFault, type PublicJwk } from "./public_key_kind.ts";

/** How keys are fetched. */
export interface FetchedKeysOptions {
  readonly service: ServiceClient;
  /** How long keys hold, in milliseconds. */
  readonly refreshMs: number;
  /** Shortest time between two fetches, in milliseconds. */
  readonly cooldownMs: number;
  readonly log: Log | undefined;
  /** A fetch has ended. */
  readonly onFetched: (succeeded: boolean) => void;
}

/** Keys of a set that are looked at; others are left out. */
const MOST_KEYS = 100;

/** The keys of one issuer. */
export class FetchedKeys {
  readonly #options: FetchedKeysOptions;
  #keys: readonly PublicJwk[] | undefined;
  #text = "";
  /** When the last fetch began. */
  #triedMs = -Infinity;
  /** When the keys were fetched. */
  #fetchedMs = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(options: FetchedKeysOptions) {
    this.#options = options;
  }

  /** The keys so far; undefined before the first fetch that succeeded. Old ones are fetched again meanwhile. */
  get keys(): readonly PublicJwk[] | undefined {
    if (sharedTime.nowMs - this.#fetchedMs > this.#options.refreshMs) void this.fetch();
    return this.#keys;
  }

  /** Changes with the keys. */
  get version(): string {
    return this.#text;
  }

  /** Fetches the keys, but not within the cool-down. Callers at the same time share one fetch. Never rejects. */
  fetch(): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching;
    const nowMs = sharedTime.refresh();
    if (nowMs - this.#triedMs < this.#options.cooldownMs) return Promise.resolve();
    this.#triedMs = nowMs;
    return this.#fetching = this.#fetch().finally(() => this.#fetching = undefined);
  }

  async #fetch(): Promise<void> {
    const { service, log, onFetched } = this.#options;
    try {
      const { status, body } = await service.ask({ lines: "accept: application/json\r\n", wantsBody: () => true });
      if (status !== 200) throw new Error(`It responded with ${status}`);
      const text = new TextDecoder().decode(body ?? undefined);
      this.#keys = keysOf(text);
      this.#text = text;
      this.#fetchedMs = sharedTime.refresh();
      onFetched(true);
    } catch (error) {
      const held = this.#keys === undefined ? "no tokens can be verified" : "the earlier ones hold";
      log?.log("warn", `keys of jwks_url cannot be fetched, ${held}`, { cause: (error as Error).message });
      onFetched(false);
    }
  }
}

/** The keys of a JWKS that can be used. */
function keysOf(text: string): PublicJwk[] {
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed) || !Array.isArray(parsed.keys)) throw new SyntaxError("It is no JWKS");
  return parsed.keys.slice(0, MOST_KEYS).filter((key): key is PublicJwk =>
    isObject(key) && keyFault(key) === undefined
  );
}
