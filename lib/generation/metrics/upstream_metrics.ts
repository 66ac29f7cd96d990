/**
 * What is counted of one upstream: its attempts, how they went, and its connections. Written by this worker, for whatever
 * generation; read by whoever is scraped.
 *
 * @module
 */

import { Counter } from "../../metrics/counter.ts";
import { Histogram, histogramSlots } from "../../metrics/histogram.ts";
import { type Numbers, sumAt, type TakeNumbers } from "../../metrics/numbers.ts";
import { StatusCounters } from "../../metrics/status_counters.ts";
import { type FailureClass, STRIKES } from "../../upstream/failure_class.ts";
import type { UpstreamMeter } from "../../upstream/upstream_options.ts";

const ATTEMPTS = 0;
const RETRIES = 1;
const EJECTIONS = 2;
const REUSED = 3;
const FAILURES = 4;
const STATUSES = FAILURES + STRIKES.length;
const HEAD_SECONDS = STATUSES + StatusCounters.SLOTS;
const DIAL_SECONDS = HEAD_SECONDS + histogramSlots();
const OPEN = DIAL_SECONDS + histogramSlots();
const IDLE = OPEN + 1;
const SLOTS = IDLE + 1;

/** The figures of one upstream. Owned by the book; outlives generations. */
export class UpstreamMetrics implements UpstreamMeter {
  readonly attempts: Counter;
  /** Attempts that were not the first of their exchange. */
  readonly retries: Counter;
  readonly ejections: Counter;
  /** Attempts that used a kept connection. */
  readonly reused: Counter;
  /** Answers. */
  readonly statuses: StatusCounters;
  /** Seconds from the start of attempts to the heads of their answers. */
  readonly headSeconds: Histogram;
  /** Seconds that it took to dial. */
  readonly dialSeconds: Histogram;
  readonly #numbers: Numbers;
  readonly #own: Float64Array;

  /** Takes its slots. */
  constructor(take: TakeNumbers, name: string) {
    const numbers = this.#numbers = take(SLOTS, `upstream ${name}`);
    this.#own = numbers.own;
    this.attempts = new Counter(numbers, ATTEMPTS);
    this.retries = new Counter(numbers, RETRIES);
    this.ejections = new Counter(numbers, EJECTIONS);
    this.reused = new Counter(numbers, REUSED);
    this.statuses = new StatusCounters(numbers, STATUSES);
    this.headSeconds = new Histogram(numbers, undefined, HEAD_SECONDS);
    this.dialSeconds = new Histogram(numbers, undefined, DIAL_SECONDS);
  }

  /** An attempt began. */
  attempted(): void {
    this.#own[ATTEMPTS] += 1;
  }

  /** It was not the first of its exchange. */
  retried(): void {
    this.#own[RETRIES] += 1;
  }

  /** It got an answer. */
  answered(status: number, tookMs: number): void {
    this.statuses.add(status);
    this.headSeconds.observe(tookMs / 1000);
  }

  /** Something counts against the upstream. */
  struck(strike: FailureClass): void {
    this.#own[FAILURES + STRIKES.indexOf(strike)] += 1;
  }

  /** It was ejected. */
  ejected(): void {
    this.#own[EJECTIONS] += 1;
  }

  /** A connection was dialled. */
  dialled(tookMs: number): void {
    this.dialSeconds.observe(tookMs / 1000);
  }

  /** Connections are open, or not any more. */
  opened(by: 1 | -1): void {
    this.#own[OPEN] += by;
  }

  /** Connections idle, or not any more. */
  idled(by: number): void {
    this.#own[IDLE] += by;
  }

  /** A kept connection is used again. */
  reusedOne(): void {
    this.#own[REUSED] += 1;
  }

  /** Connections for HTTP that are open. */
  get openConnections(): number {
    return sumAt(this.#numbers, OPEN);
  }

  /** Those of them that idle. */
  get idleConnections(): number {
    return sumAt(this.#numbers, IDLE);
  }

  /** What counted against the upstream, by cause. */
  failures(): Record<FailureClass, number> {
    const counts = STRIKES.map((strike, index) => [strike, sumAt(this.#numbers, FAILURES + index)] as const);
    return Object.fromEntries(counts) as Record<FailureClass, number>;
  }

  /** Takes back the connections of a worker that is gone. */
  takeBack(worker: number): void {
    const slots = this.#numbers.all[worker];
    slots[OPEN] = 0;
    slots[IDLE] = 0;
  }
}
