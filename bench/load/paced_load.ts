/**
 * Load at a fixed rate, as a program: `PLAN`, a file of JSON. Requests come when they are due, whether earlier ones are
 * answered or not, and their time counts from when they were due: an open loop, so that a proxy that stalls is charged for
 * all who would have waited. Prints the latencies, as JSON.
 *
 * @module
 */

import { type Client, HttpClient } from "./http_client.ts";
import { type Due, type Pace, sharedNowMs } from "./pace.ts";
import type { RequestPlan } from "./request_plan.ts";
import { SocketClient, type SocketPlan } from "./socket_client.ts";

/** What is to be done. */
export interface PacedPlan extends Pace {
  port: number;
  /** Connections that requests are spread over; one that finds none free waits. */
  connections: number;
  /** What is asked. */
  plan: RequestPlan | SocketPlan;
}

/** What came of it. */
export interface PacedLoad {
  /** How many were answered as expected. */
  answered: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  /** What went wrong, or not as it should, and how often. */
  errors: Record<string, number>;
}

/** How long the last answers may take. */
const DRAIN_MS = 5000;

if (import.meta.main) {
  const plan: PacedPlan = JSON.parse(await Deno.readTextFile(Deno.args[0]));
  const load = await paced(plan);
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(load) + "\n"));
  Deno.exit(0);
}

async function paced({ port, connections, plan, ...pace }: PacedPlan): Promise<PacedLoad> {
  const free: Client[] = [];
  for (let n = 0; n < connections; n++) free.push(clientOf(port, plan, n));
  // So that what is measured is requests, not dialling; a new connection for each is a workload of its own.
  await Promise.all(free.map((client) => client.exchange()));
  const waiting: Due[] = [];
  const latencies: number[] = [];
  const errors: Record<string, number> = {};
  let open = 0;
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  let over = false;

  function count(cause: string): void {
    errors[cause] = (errors[cause] ?? 0) + 1;
  }

  async function run(client: Client, due: Due): Promise<void> {
    try {
      await client.exchange();
      if (due.counts) latencies.push(sharedNowMs() - due.dueMs);
      if (client.closedUnasked) count("connection closed after an answer");
    } catch (error) {
      count(error instanceof Error ? error.message : String(error));
    }
    const next = waiting.shift();
    if (next !== undefined) return run(client, next);
    free.push(client);
    if (--open === 0 && over) resolve();
  }

  const worker = new Worker(new URL("./pace.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data: due }: MessageEvent<Due | null>) => {
    if (due === null) {
      over = true;
      if (open === 0) resolve();
      setTimeout(resolve, DRAIN_MS);
      return;
    }
    const client = free.pop();
    if (client === undefined) return void waiting.push(due);
    open++;
    run(client, due);
  };
  worker.postMessage(pace satisfies Pace);
  await settled;
  if (open + waiting.length > 0) errors["not answered in time"] = open + waiting.length;
  return { answered: latencies.length, ...percentiles(latencies), errors };
}

function clientOf(port: number, plan: RequestPlan | SocketPlan, turn: number): Client {
  return "method" in plan ? new HttpClient(port, plan, turn) : new SocketClient(port, plan);
}

function percentiles(latencies: number[]): Pick<PacedLoad, "p50Ms" | "p99Ms" | "p999Ms"> {
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
}
