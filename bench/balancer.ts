/**
 * Time of a pick for each policy, for 2 to 1,000 upstreams, and of the tables that are built when the upstreams change.
 * The policies that compare all upstreams do so for up to 128; the others should stay flat. Run with
 * `deno run bench/balancer.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import type { Candidate, PolicyRequest } from "../lib/upstream/balancer/policy.ts";
import { createPolicy, POLICIES } from "../lib/upstream/balancer/registry.ts";

const COUNTS = [2, 10, 100, 1000];
/** Time that each measurement runs for, at least. */
const BUDGET_MS = 60;
/** Picks in a round: each of the requests, once. */
const ROUND = 1024;

/** As a real upstream does it: state behind getters, counts in atomic cells. */
class Upstream implements Candidate {
  readonly id: string;
  readonly weight: number;
  readonly #cells = new Int32Array(new SharedArrayBuffer(16));
  readonly #up: boolean;

  constructor(index: number, { up, inFlight }: { up: boolean; inFlight: number }) {
    this.id = `http://10.0.${index >> 8}.${index & 255}:3000`;
    this.weight = 1 + index % 5;
    this.#up = up;
    this.#cells[0] = inFlight * this.weight;
    this.#cells[2] = 1000 + index;
  }

  get available(): boolean {
    return this.#up && Atomics.load(this.#cells, 1) === 0;
  }

  get inFlight(): number {
    return Atomics.load(this.#cells, 0);
  }

  get latencyMs(): number {
    return Atomics.load(this.#cells, 2) / 1000;
  }
}

const SETTINGS = { header: "x-tenant" };

/** Requests of many clients, each with the cookie that a policy has given it. */
function requests(sticky: (n: number) => string): PolicyRequest[] {
  return Array.from({ length: ROUND }, (_, n) => {
    const clientAddress = n % 4 === 0 ? `2001:db8::${n.toString(16)}:0:0:0:1` : `10.${n & 7}.${n >> 3}.1`;
    const headers = ["host", "a.test", "accept", "*/*", "x-tenant", `tenant-${n}`];
    headers.push("cookie", `session=0123456789abcdef; theme=dark; ${sticky(n)}`);
    const peer = { address: clientAddress, port: 50_000 };
    const path = `/users/${n}/orders/${n * 7}`;
    const head = { method: "GET", path, query: "", authority: "a.test", host: "a.test", headers, peer };
    return { head: { ...head, scheme: "http" }, clientAddress };
  });
}

let sink = 0;

/** Nanoseconds a pick, in the best of many rounds: what else the machine does can only add to it. */
function measure(pick: () => unknown): number {
  for (let i = 0; i < 5000; i++) if (pick() !== undefined) sink++;
  let best = Infinity;
  for (const endMs = performance.now() + BUDGET_MS; performance.now() < endMs;) {
    const startMs = performance.now();
    for (let i = 0; i < ROUND; i++) if (pick() !== undefined) sink++;
    best = Math.min(best, performance.now() - startMs);
  }
  return best * 1e6 / ROUND;
}

interface Pool {
  up?: (n: number) => boolean;
  inFlight?: number;
}

function heading(title: string): void {
  console.log(`${title.padEnd(34)}${COUNTS.map((count) => String(count).padStart(8)).join("")}`);
}

function poolOf(count: number, { up = () => true, inFlight = 0 }: Pool): Upstream[] {
  return Array.from({ length: count }, (_, n) => new Upstream(n, { up: up(n), inFlight }));
}

function table(title: string, pool: Pool): void {
  heading(title);
  for (const name of Object.keys(POLICIES)) {
    const times = COUNTS.map((count) => {
      const upstreams = poolOf(count, pool);
      const takeFields = (n: number) => new Int32Array(new SharedArrayBuffer(4 * n));
      const policy = createPolicy(name, upstreams, { takeFields, settings: SETTINGS });
      const asked = requests((n) => policy.affinity?.(undefined, upstreams[n % count])?.split(";")[0] ?? "a=b");
      let next = 0;
      return measure(() => policy.pick(asked[next++ % ROUND])).toFixed(0).padStart(8);
    });
    console.log(name.padEnd(34) + times.join(""));
  }
}

/** Milliseconds to build the tables, and to learn of one upstream that has left or come back. */
function updates(): void {
  heading("ms an update: all new, one other");
  for (const name of ["ip_hash", "cookie", "weighted", "weighted_round_robin"]) {
    const times = COUNTS.map((count) => {
      const upstreams = poolOf(count, {});
      const built = performance.now();
      const policy = createPolicy(name, upstreams);
      const changed = performance.now();
      policy.update(upstreams.slice(1));
      policy.update(upstreams);
      return `${(changed - built).toFixed(1)} ${((performance.now() - changed) / 2).toFixed(1)}`.padStart(11);
    });
    console.log(name.padEnd(25) + times.join(""));
  }
}

table("ns a pick, all available", {});
table("ns a pick, 20 in flight each", { inFlight: 20 });
table("ns a pick, every second available", { up: (n) => n % 2 === 1 });
table("ns a pick, none available", { up: () => false });
updates();
console.log(`(${sink} picked)`);
