/**
 * The watch over one name: periodic look-ups, and a report when its addresses change. After a failed look-up the
 * addresses stay. When the name has no address any more, the last ones are kept for a while and then dropped, because
 * they may have been assigned to other servers.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { type DiscoveredAddress, orderedAddresses, sameAddresses } from "./addresses.ts";

/** Clock, timers and random numbers of discovery: an interface, so that tests can control them. */
export interface DiscoveryTime {
  /** Milliseconds since an arbitrary moment. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`. The returned function cancels the call; afterwards it has no effect. */
  after(delayMs: number, callback: () => void): () => void;
  /** At least 0, less than 1. */
  random(): number;
}

/** The system's clock and timers. The timers do not keep the process alive. */
export const SYSTEM_TIME: DiscoveryTime = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    Deno.unrefTimer(timer as unknown as number);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Result of a look-up. */
export interface Found {
  /** In any order; none when the name does not exist or has no address. */
  readonly addresses: readonly DiscoveredAddress[];
  /** How long they are valid, in milliseconds; undefined when that is not known. */
  readonly ttlMs: number | undefined;
}

/** Looks a name up once. */
export interface Finder {
  /** The current addresses. Rejects when the look-up fails; ends early when `signal` fires. */
  find(signal: AbortSignal): Promise<Found>;
}

/** Options of a watch. */
export interface DiscoveryOptions {
  /** Name in the log: the upstream's `url`. */
  readonly name: string;
  /** Looks it up. */
  readonly finder: Finder;
  /** Called with the whole set when it differs from the last one; the first call comes with the first addresses. */
  readonly onChange: (addresses: readonly DiscoveredAddress[]) => void;
  /** Gets a line when look-ups begin to fail, and when they succeed again. */
  readonly log?: Pick<Log, "log">;
  /**
   * Milliseconds from one look-up to the next, whatever the TTL.
   *
   * @default {the TTL, within its bounds}
   */
  readonly intervalMs?: number;
  /**
   * Least time between look-ups by TTL, in milliseconds.
   *
   * @default {1000}
   */
  readonly minTtlMs?: number;
  /**
   * Longest time between look-ups by TTL, in milliseconds.
   *
   * @default {300000}
   */
  readonly maxTtlMs?: number;
  /**
   * TTL where there is none, as for names in the hosts file, in milliseconds.
   *
   * @default {30000}
   */
  readonly unknownTtlMs?: number;
  /**
   * Longest look-up, in milliseconds.
   *
   * @default {10000}
   */
  readonly lookupTimeoutMs?: number;
  /**
   * Longest time that {@linkcode Discovery.start} waits, in milliseconds.
   *
   * @default {5000}
   */
  readonly firstTimeoutMs?: number;
  /**
   * How long the last addresses are kept when the name has none any more, in milliseconds.
   *
   * @default {60000}
   */
  readonly absentMs?: number;
  /**
   * Clock, timers and random numbers.
   *
   * @default {SYSTEM_TIME}
   */
  readonly time?: DiscoveryTime;
}

const DISCOVERY_DEFAULTS = {
  minTtlMs: 1000,
  maxTtlMs: 300_000,
  unknownTtlMs: 30_000,
  lookupTimeoutMs: 10_000,
  firstTimeoutMs: 5000,
  absentMs: 60_000,
  time: SYSTEM_TIME,
} satisfies Partial<DiscoveryOptions>;

/** Watches one name. Owned by the pool whose upstreams it finds; stopped with it. */
export class Discovery {
  readonly #options: DiscoveryOptions & typeof DISCOVERY_DEFAULTS;
  readonly #time: DiscoveryTime;
  #known: readonly DiscoveredAddress[] = [];
  #state: "new" | "running" | "stopped" = "new";
  #failures = 0;
  #absentSinceMs: number | undefined;
  #lookup: AbortController | undefined;
  #cancelTimer = () => {};
  #settleFirst = (_found: boolean) => {};

  /** Makes a watch; {@linkcode Discovery.start} begins the look-ups. */
  constructor(options: DiscoveryOptions) {
    this.#options = { ...DISCOVERY_DEFAULTS, ...options };
    this.#time = this.#options.time;
  }

  /** The current addresses. */
  get addresses(): readonly DiscoveredAddress[] {
    return this.#known;
  }

  /**
   * Begins the look-ups, until {@linkcode Discovery.stop}. Settles with whether there are addresses: when the first
   * ones are found, when the name does not exist, or after `firstTimeoutMs`.
   *
   * @throws {Error} When it was started before.
   */
  start(): Promise<boolean> {
    if (this.#state !== "new") throw new Error(`Cannot start the discovery of "${this.#options.name}" twice`);
    this.#state = "running";
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#time.after(this.#options.firstTimeoutMs, () => this.#settleFirst(false));
    this.#settleFirst = (found) => {
      cancel();
      resolve(found);
    };
    void this.#round();
    return promise;
  }

  /** Ends the watch: a running look-up is aborted, and `onChange` is not called any more. */
  stop(): void {
    this.#state = "stopped";
    this.#cancelTimer();
    this.#lookup?.abort();
    this.#settleFirst(this.#known.length > 0);
  }

  /** Makes one look-up and schedules the next, so that no two run at the same time. Never rejects. */
  async #round(): Promise<void> {
    let delayMs: number;
    try {
      const found = await this.#lookUp();
      if (this.#stopped) return;
      delayMs = found.addresses.length > 0 ? this.#take(found) : this.#takeAbsence();
    } catch (error) {
      if (this.#stopped) return;
      delayMs = this.#takeFailure(error instanceof Error ? error.message : String(error));
    }
    if (this.#stopped) return;
    // Jitter only lengthens the delay: proxies that started together spread out, and no look-up is made before the TTL.
    const spreadMs = delayMs * (1 + JITTER * this.#time.random());
    this.#cancelTimer = this.#time.after(spreadMs, () => void this.#round());
  }

  async #lookUp(): Promise<Found> {
    const { finder, lookupTimeoutMs } = this.#options;
    const lookup = this.#lookup = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    lookup.signal.addEventListener("abort", () => reject(lookup.signal.reason), { once: true });
    const cancel = this.#time.after(
      lookupTimeoutMs,
      () => lookup.abort(new Error(`No answer within ${lookupTimeoutMs} ms`)),
    );
    try {
      // A race, so that a finder that ignores the signal cannot delay the next look-up.
      return await Promise.race([finder.find(lookup.signal), ended]);
    } finally {
      cancel();
      this.#lookup = undefined;
    }
  }

  /** Takes over a result. Returns the milliseconds until the next look-up. */
  #take({ addresses, ttlMs }: Found): number {
    const { name, log, intervalMs, unknownTtlMs, minTtlMs, maxTtlMs } = this.#options;
    this.#change(orderedAddresses(addresses));
    if (this.#failures > 0) {
      log?.log("info", "The addresses of an upstream are found again", { upstream: name, known: this.#known.length });
    }
    this.#failures = 0;
    this.#absentSinceMs = undefined;
    this.#settleFirst(true);
    return intervalMs ?? Math.min(Math.max(ttlMs ?? unknownTtlMs, minTtlMs), maxTtlMs);
  }

  /** Handles a name that certainly has no address. */
  #takeAbsence(): number {
    const { name, log, absentMs } = this.#options;
    this.#absentSinceMs ??= this.#time.nowMs();
    const goneMs = this.#time.nowMs() - this.#absentSinceMs;
    if (this.#known.length > 0 && goneMs >= absentMs) {
      this.#change([]);
      log?.log("warn", "An upstream has had no address for too long: its last ones are dropped", { upstream: name });
    }
    // A name that does not exist will hardly appear within `firstTimeoutMs`: the start does not wait.
    this.#settleFirst(this.#known.length > 0);
    return this.#takeFailure("No such name, or no address");
  }

  #takeFailure(cause: string): number {
    const { name, log } = this.#options;
    if (this.#failures === 0) {
      const known = this.#known.length;
      log?.log("warn", "Cannot find the addresses of an upstream", { upstream: name, cause, known });
    }
    this.#failures++;
    return Math.min(RETRY_MS * 2 ** (this.#failures - 1), MAX_RETRY_MS);
  }

  #change(addresses: readonly DiscoveredAddress[]): void {
    if (sameAddresses(addresses, this.#known)) return;
    const before = this.#known;
    this.#known = addresses;
    try {
      this.#options.onChange(addresses);
    } catch (error) {
      // The change was not taken over: the next look-up reports it again.
      this.#known = before;
      throw error;
    }
  }

  get #stopped(): boolean {
    return this.#state === "stopped";
  }
}

const JITTER = 0.1;
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
