/**
 * Figures that only a worker itself can see: its heap, and how late its event loop is. Each worker puts its own into its
 * slots once a second, so that whichever is scraped can tell about all.
 *
 * @module
 */

import { LoopDelay, type LoopDelayOptions } from "./loop_delay.ts";
import type { Numbers, TakeNumbers } from "./numbers.ts";

/** One worker's figures, as of a second ago at the most. */
export interface WorkerReading {
  /** Index of the worker among all. */
  readonly worker: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly loopDelayP50Seconds: number;
  readonly loopDelayP99Seconds: number;
  readonly loopDelayMaxSeconds: number;
}

const HEAP_USED = 0;
const HEAP_TOTAL = 1;
const DELAY_P50 = 2;
const DELAY_P99 = 3;
const DELAY_MAX = 4;
const SLOTS = 5;
const PUBLISH_MS = 1000;

/** Owned by its worker, for as long as the worker runs; holds one timer, which keeps no process alive. */
export class WorkerFigures {
  readonly #numbers: Numbers;
  readonly #delay: LoopDelay;
  readonly #timer: ReturnType<typeof setInterval>;
  #publishedMs: number;

  constructor(take: TakeNumbers, options?: LoopDelayOptions) {
    this.#numbers = take(SLOTS, "bws_worker_figures");
    this.#publishedMs = performance.now();
    this.#delay = new LoopDelay(this.#publishedMs, options);
    this.#timer = setInterval(() => this.#tick(performance.now()), this.#delay.periodMs);
    Deno.unrefTimer(this.#timer as unknown as number);
    this.publish();
  }

  /** Puts this worker's figures of this moment into its slots. */
  publish(): void {
    const { own } = this.#numbers;
    const { heapUsed, heapTotal } = Deno.memoryUsage();
    const { p50Seconds, p99Seconds, maxSeconds } = this.#delay.read();
    own[HEAP_USED] = heapUsed;
    own[HEAP_TOTAL] = heapTotal;
    own[DELAY_P50] = p50Seconds;
    own[DELAY_P99] = p99Seconds;
    own[DELAY_MAX] = maxSeconds;
  }

  /** The figures of every worker that has ever run. */
  read(): WorkerReading[] {
    return this.#numbers.all.flatMap((slots, worker) =>
      // No heap: there are slots for it, but no worker yet.
      slots[HEAP_TOTAL] === 0 ? [] : [{
        worker,
        heapUsedBytes: slots[HEAP_USED],
        heapTotalBytes: slots[HEAP_TOTAL],
        loopDelayP50Seconds: slots[DELAY_P50],
        loopDelayP99Seconds: slots[DELAY_P99],
        loopDelayMaxSeconds: slots[DELAY_MAX],
      }]
    );
  }

  /** Ends the timer. The slots are cleared: what no longer runs has no heap. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#numbers.own.fill(0);
  }

  #tick(nowMs: number): void {
    this.#delay.sample(nowMs);
    if (nowMs - this.#publishedMs < PUBLISH_MS) return;
    this.#publishedMs = nowMs;
    this.publish();
  }
}
