/**
 * Probes upstreams again and again, and tells them what is found.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { Upstream } from "../upstream.ts";
import { probe, type ProbeResult } from "./probe.ts";
import { ProbeKeys } from "./health_check.ts";
import { type FinishedProbe, type ProbedUpstream, ProbeTarget, type Verdict } from "./probe_target.ts";

/** What a prober works with. */
export interface ProberOptions {
  /** Told once of each change. */
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
   * Most probes at a time; others wait for their turn.
   *
   * @default {64}
   */
  readonly maxConcurrent?: number;
}

/** How the probes of an upstream stand. */
export interface ProbeStatus {
  /** Its `url`. */
  readonly url: string;
  /** What its probes say. */
  readonly verdict: Verdict;
  /** When they last changed their mind; undefined before they had one. */
  readonly changedAtMs: number | undefined;
  /** Its last probe; undefined before the first one. */
  readonly last: FinishedProbe | undefined;
  /** Good probes in a row. */
  readonly goodProbes: number;
  /** Bad probes in a row. */
  readonly badProbes: number;
  /** When the next one is due; undefined while one is under way or waits for its turn. */
  readonly nextAtMs: number | undefined;
}

/**
 * Probes upstreams. Those with the same address and check share their probes. Outlives generations, so that what is known
 * survives a reload; keeps no process alive.
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
  /** Until then it is not said again that probes cannot be made. */
  #silentUntilMs = 0;

  /** Probes nothing yet. */
  constructor({ log, random = Math.random, now = Date.now, maxConcurrent = 64 }: ProberOptions) {
    this.#log = log;
    this.#random = random;
    this.#now = now;
    this.#maxConcurrent = maxConcurrent;
  }

  /**
   * Probes these upstreams, and no others, from now on. Addresses that stay keep their counts, and those of their upstreams
   * that are new are told at once what is known.
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

  /** How the probes of `upstream` stand; undefined when it has none. */
  statusOf(upstream: Upstream): ProbeStatus | undefined {
    const round = this.#byUpstream.get(upstream);
    return round && statusOf(round);
  }

  /** How all probes stand, each address once. */
  get statuses(): ProbeStatus[] {
    return [...this.#rounds.values()].map(statusOf);
  }

  /** Ends all probes for good. Settles when none is under way any more. */
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
    this.#plan(round, firstPauseMs(probed.check.intervalMs, this.#random()));
    return round;
  }

  #plan(round: Round, inMs: number): void {
    round.nextAtMs = this.#now() + inMs;
    // Longer, and the runtime's timer would fire at once.
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
    const result = await probe(target.endpoint, target.check, { signal, wary: target.unconnected });
    if (signal.aborted) return;
    if (!target.wanted) return this.#skip(round);
    const before = target.verdict;
    if (result.healthy === undefined) {
      this.#tellMissed(target, result.reason);
      return this.#planNext(round, before === "unknown" ? "unknown" : "known");
    }
    try {
      if (target.record({ atMs: this.#now(), result })) this.#tell(target, result);
    } catch (error) {
      // Whoever listens to an upstream may fail; its probes go on.
      this.#log.log("error", "Cannot tell an upstream what its probe found", { url: target.url, cause: String(error) });
    }
    this.#planNext(round, target.verdict === "unknown" ? "unknown" : before === "unknown" ? "new" : "known");
  }

  #planNext(round: Round, certainty: Certainty): void {
    this.#plan(round, pauseMs(round.target.check.intervalMs, certainty, this.#random()));
  }

  // What this machine lacks, many probes lack.
  #tellMissed(target: ProbeTarget, reason: string): void {
    if (performance.now() < this.#silentUntilMs) return;
    this.#silentUntilMs = performance.now() + MISSED_EVERY_MS;
    this.#log.log("error", "cannot probe upstreams", { upstream: target.url, reason });
  }

  #tell(target: ProbeTarget, result: ProbeResult): void {
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

/** A target and when it is its turn. `abort` fires when it is probed no more. */
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

/** What is known of an upstream: nothing for sure, something since its last probe, or something for longer. */
export type Certainty = "unknown" | "new" | "known";

/**
 * Time until the first probe. Soon, whatever the interval: an upstream that is believed to be well may not be, and one
 * that is not believed waits for it.
 *
 * @param random A number from 0 to 1, without 1.
 */
export function firstPauseMs(intervalMs: number, random: number): number {
  return random * Math.min(intervalMs, SOON_MS);
}

/** Time from the end of a probe to the next one. `random` is as for {@linkcode firstPauseMs}. */
export function pauseMs(intervalMs: number, certainty: Certainty, random: number): number {
  // First verdicts come close together; from here on each upstream has a place of its own within the interval.
  if (certainty === "new") return random * intervalMs;
  const baseMs = certainty === "known" ? intervalMs : Math.min(intervalMs, SOON_MS);
  return baseMs * (1 - JITTER + 2 * JITTER * random);
}

const SOON_MS = 1000;
const JITTER = 0.1;
