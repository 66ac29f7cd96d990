/**
 * The demo's traffic: requests at a steady rate, sent through the proxy.
 *
 * @module
 */

import { TRAFFIC_HEADER } from "./sample_upstream.ts";
import { SHOWN } from "./demo_config.ts";

/** How one request ended. */
export interface Outcome {
  /** Index of the policy in {@linkcode SHOWN}. */
  readonly policy: number;
  /** Name of the upstream that responded, or empty. */
  readonly upstream: string;
  /** Status; 0 without a response. */
  readonly status: number;
  /** From first to last byte, in milliseconds. */
  readonly elapsedMs: number;
}

/** Rates that can be chosen, in requests a second for each policy. */
export const RATES: readonly number[] = [0, 5, 25, 75];

/** Sends requests while it runs. Owned by the demo. */
export class Traffic {
  /** Where to send requests, such as `http://127.0.0.1:8080`; set before it runs. */
  origin = "";
  readonly #onOutcome: (outcome: Outcome) => void;
  readonly #underWay: number[] = SHOWN.map(() => 0);
  #rate = 25;
  #running = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #next = 0;

  /** @param onOutcome Called at the end of each request. */
  constructor(onOutcome: (outcome: Outcome) => void) {
    this.#onOutcome = onOutcome;
  }

  /** Requests a second, for each policy. */
  get rate(): number {
    return this.#rate;
  }

  /** Changes the rate. */
  set rate(perSecond: number) {
    this.#rate = perSecond;
    this.#schedule();
  }

  /** Starts or stops. Requests under way still end. */
  run(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    this.#schedule();
  }

  #schedule(): void {
    clearInterval(this.#timer);
    if (!this.#running || this.#rate === 0) return;
    this.#timer = setInterval(() => {
      this.#send(this.#next);
      this.#next = (this.#next + 1) % SHOWN.length;
    }, 1000 / (this.#rate * SHOWN.length));
  }

  async #send(policy: number): Promise<void> {
    if (this.#underWay[policy] >= MAX_UNDER_WAY) return;
    this.#underWay[policy]++;
    const startMs = performance.now();
    let status = 0;
    let upstream = "";
    try {
      const response = await fetch(this.origin + SHOWN[policy].path, { headers: { [TRAFFIC_HEADER]: "1" } });
      upstream = response.headers.get("x-upstream") ?? "";
      await response.arrayBuffer();
      status = response.status;
    } catch {
      // A request without a response is shown as an error: status 0.
      status = 0;
    }
    this.#underWay[policy]--;
    this.#onOutcome({ policy, upstream, status, elapsedMs: performance.now() - startMs });
  }
}

/** More than any rate and latency here needs; requests in flight beyond it mean a hang. */
const MAX_UNDER_WAY = 200;
