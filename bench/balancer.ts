/**
 * Time of a pick for each policy, for 2 to 1,000 upstreams. Only least connections looks at all upstreams; the others
 * should stay flat. Run with `deno run bench/balancer.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import type { Candidate } from "../lib/balancer/policy.ts";
import { createPolicy, POLICIES } from "../lib/balancer/registry.ts";

const COUNTS = [2, 10, 100, 1000];
/** Time that each measurement runs for, at least. */
const BUDGET_MS = 60;

/** As a real upstream does it: state behind getters, counts in atomic cells. */
class Upstream implements Candidate {
  readonly weight: number;
  readonly #cells: Int32Array;
  readonly #up: boolean;

  constructor(weight: number, up: boolean, shared: boolean) {
    this.weight = weight;
    this.#up = up;
    this.#cells = new Int32Array(shared ? new SharedArrayBuffer(8) : new ArrayBuffer(8));
  }

  get available(): boolean {
    return this.#up && Atomics.load(this.#cells, 1) === 0;
  }

  get inFlight(): number {
    return Atomics.load(this.#cells, 0);
  }
}

let sink = 0;

/** Nanoseconds a pick. */
function measure(pick: () => unknown): number {
  for (let i = 0; i < 20_000; i++) if (pick() !== undefined) sink++;
  let picks = 0;
  const start = performance.now();
  while (performance.now() - start < BUDGET_MS) {
    for (let i = 0; i < 1000; i++) if (pick() !== undefined) sink++;
    picks += 1000;
  }
  return (performance.now() - start) * 1e6 / picks;
}

function table(title: string, up: (n: number) => boolean): void {
  console.log(`${title.padEnd(34)}${COUNTS.map((count) => String(count).padStart(8)).join("")}`);
  for (const name of Object.keys(POLICIES)) {
    const times = COUNTS.map((count) => {
      const upstreams = Array.from({ length: count }, (_, n) => new Upstream(1 + n % 5, up(n), true));
      const policy = createPolicy(name, upstreams, { takeCells: (n) => new Int32Array(new SharedArrayBuffer(4 * n)) });
      return measure(() => policy.pick()).toFixed(0).padStart(8);
    });
    console.log(name.padEnd(34) + times.join(""));
  }
}

table("ns a pick, all available", () => true);
table("ns a pick, every second available", (n) => n % 2 === 1);
table("ns a pick, none available", () => false);
console.log(`(${sink} picked)`);
