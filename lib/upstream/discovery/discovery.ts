/**
 * Watching a name: finding its addresses again and again, and saying when they have changed. A look-up that fails takes
 * nothing away; a name that has no address any more keeps its last ones for a while, then loses them, because they may
 * have been given to somebody else.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { type DiscoveredAddress, orderedAddresses, sameAddresses } from "./addresses.ts";

/** The time that discovery goes by, and chance: an interface, so that tests can wind it forward. */
export interface DiscoveryTime {
  /** Milliseconds since some moment. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`; what comes back calls that off, and does nothing afterwards. */
  after(delayMs: number, callback: () => void): () => void;
  /** At least 0, less than 1. */
  random(): number;
}

/** The machine's. Its timers do not keep the process alive. */
export const SYSTEM_TIME: DiscoveryTime = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    Deno.unrefTimer(timer as unknown as number);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** What a look-up found. */
export interface Found {
  /** In any order; none when the name does not exist or has no address. */
  readonly addresses: readonly DiscoveredAddress[];
  /** How long they are good, in milliseconds; undefined when nobody said. */
  readonly ttlMs: number | undefined;
}

/** Looks a name up once. */
export interface Finder {
  /** What there is now. Rejects when it cannot be told; ends early when `signal` fires. */
  find(signal: AbortSignal): Promise<Found>;
}

/** What is watched, and how. */
export interface DiscoveryOptions {
  /** What the log calls it: the upstream's `url`. */
  readonly name: string;
  /** Looks it up. */
  readonly finder: Finder;
  /** Called with the whole set when it differs from the last one; the first call comes with the first addresses. */
  readonly onChange: (addresses: readonly DiscoveredAddress[]) => void;
  /** Where it is said that look-ups begin to fail, and that they work again. */
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
   * Taken for the TTL where there is none, as for names in the hosts file, in milliseconds.
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
   * How long the last addresses of a name that has none any more are kept, in milliseconds.
   *
   * @default {60000}
   */
  readonly absentMs?: number;
  /**
   * The time it goes by.
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

/** Watches one name. Owned by the pool whose upstreams it finds; ends with it. */
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

  /** Makes one; it looks nothing up before {@linkcode Discovery.start}. */
  constructor(options: DiscoveryOptions) {
    this.#options = { ...DISCOVERY_DEFAULTS, ...options };
    this.#time = this.#options.time;
  }

  /** The addresses now. */
  get addresses(): readonly DiscoveredAddress[] {
    return this.#known;
  }

  /**
   * Begins to look the name up, and goes on until {@linkcode Discovery.stop}. Settles with whether there are addresses:
   * when the first are there, when the name turns out not to exist, or when the time for it is over.
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

  /** Ends it: a look-up under way is given up, and `onChange` is not called any more. */
  stop(): void {
    this.#state = "stopped";
    this.#cancelTimer();
    this.#lookup?.abort();
    this.#settleFirst(this.#known.length > 0);
  }

  /** One look-up, and the next one put on the timer: so no two are ever under way. Never rejects. */
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
    // Spread upwards: proxies that started together do not ask together, and nothing is asked before its TTL is over.
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
      // Raced, so that a finder that does not heed the signal cannot hold up the others.
      return await Promise.race([finder.find(lookup.signal), ended]);
    } finally {
      cancel();
      this.#lookup = undefined;
    }
  }

  /** Takes over what was found; the milliseconds until the next look-up. */
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

  /** The name has no address, and that is certain. */
  #takeAbsence(): number {
    const { name, log, absentMs } = this.#options;
    this.#absentSinceMs ??= this.#time.nowMs();
    const goneMs = this.#time.nowMs() - this.#absentSinceMs;
    if (this.#known.length > 0 && goneMs >= absentMs) {
      this.#change([]);
      log?.log("warn", "An upstream has had no address for too long: its last ones are dropped", { upstream: name });
    }
    // What does not exist will hardly do so within the time that a start may take.
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
      // Not taken over: the next look-up offers it again.
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
