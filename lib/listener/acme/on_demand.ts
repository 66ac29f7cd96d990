/**
 * Which names may get a certificate when a client first asks for them: those that a URL of the operator allows, within
 * bounds. Without both, anybody could make BWS order certificates for any name that leads to it.
 *
 * @module
 */

import { isHostName } from "../../config/host_pattern.ts";
import { isIpAddress } from "../../http/ip_address.ts";

/** Bounds, and who is asked. */
export interface OnDemandOptions {
  /** URL that is asked, with `domain=NAME` in its query; 2xx allows. */
  readonly ask: string;
  /** Most certificates that are ordered in a minute. */
  readonly maxPerMinute: number;
  /** Most names that have a certificate. */
  readonly maxNames: number;
}

/** Why a name gets no certificate. */
export type OnDemandRefusal = "name" | "denied" | "rate" | "under way" | "names" | "unreachable";

/** Questions that are under way at most. */
const MOST_UNDER_WAY = 16;
/** How long a name that was denied is not asked for again, and how many are remembered. */
const DENIED_MS = 60_000;
const MOST_DENIED = 10_000;
const TIMEOUT_MS = 5000;

/** The permission. Owned by the manager of certificates. */
export class OnDemandPermission {
  readonly #options: OnDemandOptions;
  /** Until when names are denied, in the order in which they were. */
  readonly #deniedUntilMs = new Map<string, number>();
  /** Orders that may begin now; one more with each share of a minute. */
  #tokens: number;
  #countedAtMs = performance.now();
  #underWay = 0;

  constructor(options: OnDemandOptions) {
    this.#options = options;
    this.#tokens = options.maxPerMinute;
  }

  /**
   * Whether a name may get a certificate.
   *
   * @param names Names that have one.
   * @param orders Whether one would be ordered, which counts for the rate.
   */
  async refusal(
    name: string,
    names: number,
    orders: boolean,
    signal: AbortSignal,
  ): Promise<OnDemandRefusal | undefined> {
    if (!certifiable(name)) return "name";
    if ((this.#deniedUntilMs.get(name) ?? 0) > performance.now()) return "denied";
    if (names >= this.#options.maxNames) return "names";
    if (this.#underWay >= MOST_UNDER_WAY) return "under way";
    if (orders && !this.#takeToken()) return "rate";
    this.#underWay++;
    let allowed: boolean | undefined;
    try {
      allowed = await this.#ask(name, signal);
    } finally {
      this.#underWay--;
      if (orders && allowed !== true) this.#tokens++;
    }
    return allowed === undefined ? "unreachable" : allowed ? undefined : this.#deny(name);
  }

  async #ask(name: string, signal: AbortSignal): Promise<boolean | undefined> {
    const url = new URL(this.#options.ask);
    url.searchParams.set("domain", name);
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const response = await fetch(url, { signal: limit, redirect: "manual" });
      await response.body?.cancel();
      return response.ok ? true : response.status >= 500 ? undefined : false;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  #deny(name: string): OnDemandRefusal {
    this.#deniedUntilMs.delete(name);
    this.#deniedUntilMs.set(name, performance.now() + DENIED_MS);
    for (const [oldest] of this.#deniedUntilMs) {
      if (this.#deniedUntilMs.size <= MOST_DENIED) break;
      this.#deniedUntilMs.delete(oldest);
    }
    return "denied";
  }

  #takeToken(): boolean {
    const nowMs = performance.now();
    const { maxPerMinute } = this.#options;
    this.#tokens = Math.min(this.#tokens + (nowMs - this.#countedAtMs) / 60_000 * maxPerMinute, maxPerMinute);
    this.#countedAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** Whether a name could be in a certificate of a public authority: several labels, and no address. */
function certifiable(name: string): boolean {
  return name.length <= 253 && name.includes(".") && !name.includes("*") && !isIpAddress(name) && isHostName(name);
}
