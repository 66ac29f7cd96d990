/**
 * The last five minutes, in steps of two seconds.
 *
 * @module
 */

import type { Flow, FlowHistory, History } from "./snapshot.ts";

const POINTS = 150;

/** The values of one moment. */
export interface HistoryPoint {
  /** In milliseconds since 1970. */
  readonly atMs: number;
  /** All exchanges. */
  readonly totals: Flow;
  /** Resident memory. */
  readonly memoryBytes: number;
  /** Rates by the `id` of the upstream. */
  readonly upstreams: ReadonlyMap<string, Pick<Flow, "requestRate" | "errorRate">>;
}

/** A ring buffer of points. Rates of upstreams, which may be many, are in typed arrays. */
export class HistoryRing {
  readonly #points: Omit<HistoryPoint, "upstreams">[] = [];
  readonly #upstreams = new Map<string, Float32Array>();
  #next = 0;

  /** Adds a point, and removes upstreams that are not in it. */
  add({ upstreams, ...point }: HistoryPoint): void {
    const at = this.#next++ % POINTS;
    this.#points[at] = point;
    for (const id of this.#upstreams.keys()) if (!upstreams.has(id)) this.#upstreams.delete(id);
    for (const [id, { requestRate, errorRate }] of upstreams) {
      let rates = this.#upstreams.get(id);
      if (rates === undefined) this.#upstreams.set(id, rates = new Float32Array(2 * POINTS));
      rates[at] = requestRate;
      rates[POINTS + at] = errorRate;
    }
  }

  /** All points, the oldest first. */
  read(): History {
    const count = this.#points.length;
    const order = Array.from({ length: count }, (_, index) => (this.#next - count + index) % POINTS);
    const points = order.map((at) => this.#points[at]);
    const of = <K extends keyof Flow>(key: K) => points.map(({ totals }) => totals[key]);
    const track = (rates: Float32Array): FlowHistory => ({
      requestRate: order.map((at) => tenth(rates[at])),
      errorRate: order.map((at) => tenth(rates[POINTS + at])),
    });
    return {
      atMs: points.map(({ atMs }) => atMs),
      totals: {
        ...{ requestRate: of("requestRate"), errorRate: of("errorRate"), inFlight: of("inFlight") },
        ...{ p50Ms: of("p50Ms"), p95Ms: of("p95Ms"), p99Ms: of("p99Ms") },
        memoryBytes: points.map(({ memoryBytes }) => memoryBytes),
      },
      upstreams: Object.fromEntries([...this.#upstreams].map(([id, rates]) => [id, track(rates)])),
    };
  }
}

// Saves half a megabyte of JSON with five hundred upstreams.
function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
