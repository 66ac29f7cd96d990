/**
 * Probes upstreams at their intervals and passes the results to them.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { Upstream } from "../upstream.ts";
import { probe, type ProbeResult } from "./probe.ts";
import { ProbeKeys } from "./health_check.ts";
import { type FinishedProbe, type ProbedUpstream, ProbeTarget, type Verdict } from "./probe_target.ts";

/** Options of a prober. */
export interface ProberOptions {
  /** Gets a line for each change. */
  readonly log: Pick<Log, "log">;
  /**
   * A number from 0 to 1, without 1.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
  /**
   * Time in milliseconds, for {@linkcode ProbeStatus}.
   *
   * @default {Date.now}
   */
  readonly now?: () => number;
  /**
   * Most probes at a time; others are queued.
   *
   * @default {64}
   */
  readonly maxConcurrent?: number;
}

/** Status of the probes of an upstream. */
export interface ProbeStatus {
  /** Its `url`. */
  readonly url: string;
  readonly verdict: Verdict;
  /** When the verdict last changed; undefined while it is unknown. */
  readonly changedAtMs: number | undefined;
  /** Its last probe; undefined before the first one. */
  readonly last: FinishedProbe | undefined;
  /** Good probes in a row. */
  readonly goodProbes: number;
  /** Bad probes in a row. */
  readonly badProbes: number;
  /** When the next probe is due; undefined while one is running or queued. */
  readonly nextAtMs: number | undefined;
}

/**
 * Probes upstreams. Those with the same address and check share their probes. Outlives generations, so that verdicts
 * survive a reload. Its timers do not keep the process alive.
 */
export class Prober {
  readonly #log: Pick<Log, "log">;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #maxConcurrent: number;
  readonly #keys = new ProbeKeys();
  readonly #rounds = new Map<string, Round>();
  readonly #byUpstream = new Map<Upstream, Round>();
  readonly #running = new Set<Promise<void>>();
  #waiting: Round[] = [];
  #stopped = false;
  /** Until then no further line about missed probes is logged. */
  #silentUntilMs = 0;

  constructor({ log, random = Math.random, now = Date.now, maxConcurrent = 64 }: ProberOptions) {
    this.#log = log;
    this.#random = random;
    this.#now = now;
    this.#maxConcurrent = maxConcurrent;
  }

  /**
   * Replaces the probed upstreams. Targets that stay keep their counts, and their new upstreams get the current verdict
   * at once.
   */
  update(probed: readonly ProbedUpstream[]): void {
    if (this.#stopped) return;
    const groups = Map.groupBy(probed, ({ upstream, check }) => this.#keys.of(upstream.endpoint, check));
    for (const [key, round] of this.#rounds) {
      if (groups.has(key)) continue;
      this.#rounds.delete(key);
      end(round);
    }
    this.#waiting = this.#waiting.filter((round) => !round.abort.signal.aborted);
    this.#byUpstream.clear();
    for (const [key, group] of groups) {
      const round = this.#rounds.get(key) ?? this.#begin(key, group[0]);
      round.target.adopt(group);
      for (const { upstream } of group) this.#byUpstream.set(upstream, round);
    }
  }

  /** Status of the probes of `upstream`; undefined when it has none. */
  statusOf(upstream: Upstream): ProbeStatus | undefined {
    const round = this.#byUpstream.get(upstream);
    return round && statusOf(round);
  }

  /** Status of all probes, each target once. */
  get statuses(): ProbeStatus[] {
    return [...this.#rounds.values()].map(statusOf);
  }

  /** Ends all probes. Settles when none is running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const round of this.#rounds.values()) end(round);
    this.#rounds.clear();
    this.#byUpstream.clear();
    this.#waiting = [];
    await Promise.all(this.#running);
  }

  #begin(key: string, probed: ProbedUpstream): Round {
    const target = new ProbeTarget(probed);
    const round: Round = { target, abort: new AbortController(), timer: undefined, nextAtMs: undefined };
    this.#rounds.set(key, round);
    this.#plan(round, firstPauseMs(probed.check.interval, this.#random()));
    return round;
  }

  #plan(round: Round, inMs: number): void {
    round.nextAtMs = this.#now() + inMs;
    // With a longer delay the runtime's timer would fire at once.
    round.timer = setTimeout(() => this.#due(round), Math.min(inMs, LONGEST_TIMER_MS));
    Deno.unrefTimer(round.timer as unknown as number);
  }

  #due(round: Round): void {
    round.nextAtMs = undefined;
    if (!round.target.wanted) return this.#skip(round);
    if (this.#running.size >= this.#maxConcurrent) {
      this.#waiting.push(round);
      return;
    }
    const run = this.#probe(round).finally(() => {
      this.#running.delete(run);
      while (this.#running.size < this.#maxConcurrent) {
        const next = this.#waiting.shift();
        if (next === undefined) return;
        this.#due(next);
      }
    });
    this.#running.add(run);
  }

  #skip(round: Round): void {
    round.target.forget();
    this.#planNext(round, "unknown");
  }

  async #probe(round: Round): Promise<void> {
    const { target, abort: { signal } } = round;
    const result = await probe(target.endpoint, target.check, { signal, checkTlsFirst: target.unconnected });
    if (signal.aborted) return;
    if (!target.wanted) return this.#skip(round);
    const before = target.verdict;
    if (result.healthy === undefined) {
      this.#logMissed(target, result.reason);
      return this.#planNext(round, before === "unknown" ? "unknown" : "known");
    }
    try {
      if (target.record({ atMs: this.#now(), result })) this.#logChange(target, result);
    } catch (error) {
      // A listener of the upstream may throw; the probes go on.
      this.#log.log("error", "Cannot report the result of a probe to an upstream", {
        url: target.url,
        cause: String(error),
      });
    }
    this.#planNext(round, target.verdict === "unknown" ? "unknown" : before === "unknown" ? "new" : "known");
  }

  #planNext(round: Round, certainty: Certainty): void {
    this.#plan(round, pauseMs(round.target.check.interval, certainty, this.#random()));
  }

  // A shortage on this machine affects many probes: it is logged once in a while.
  #logMissed(target: ProbeTarget, reason: string): void {
    if (performance.now() < this.#silentUntilMs) return;
    this.#silentUntilMs = performance.now() + MISSED_EVERY_MS;
    this.#log.log("error", "cannot probe upstreams", { upstream: target.url, reason });
  }

  #logChange(target: ProbeTarget, result: ProbeResult): void {
    const fields = { upstream: target.url, pool: target.pools, site: target.sites };
    if (result.healthy) {
      this.#log.log("info", "upstream healthy", { ...fields, probes: target.goodProbes });
    } else {
      const { reason } = result;
      this.#log.log("warn", "upstream unhealthy", { ...fields, reason, probes: target.badProbes });
    }
  }
}

const MISSED_EVERY_MS = 10_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A target and its timer. `abort` fires when it is no longer probed. */
interface Round {
  readonly target: ProbeTarget;
  readonly abort: AbortController;
  timer: ReturnType<typeof setTimeout> | undefined;
  nextAtMs: number | undefined;
}

function end(round: Round): void {
  clearTimeout(round.timer);
  round.abort.abort();
}

function statusOf({ target, nextAtMs }: Round): ProbeStatus {
  const { url, verdict, changedAtMs, last, goodProbes, badProbes } = target;
  return { url, verdict, changedAtMs, last, goodProbes, badProbes, nextAtMs };
}

/** Whether the verdict of a target is unknown, new since the last probe, or older. */
export type Certainty = "unknown" | "new" | "known";

/**
 * Time until the first probe. Short, whatever the interval: an upstream that is assumed healthy may not be, and one
 * that is assumed unhealthy gets no requests until then.
 *
 * @param random A number from 0 to 1, without 1.
 */
export function firstPauseMs(intervalMs: number, random: number): number {
  return random * Math.min(intervalMs, SOON_MS);
}

/** Time from the end of a probe to the next one. `random` is as for {@linkcode firstPauseMs}. */
export function pauseMs(intervalMs: number, certainty: Certainty, random: number): number {
  // The first verdicts come close together; from here on the probes are spread over the interval.
  if (certainty === "new") return random * intervalMs;
  const baseMs = certainty === "known" ? intervalMs : Math.min(intervalMs, SOON_MS);
  return baseMs * (1 - JITTER + 2 * JITTER * random);
}

const SOON_MS = 1000;
const JITTER = 0.1;
