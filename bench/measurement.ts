/**
 * One peer under one workload, measured once.
 *
 * @module
 */

import type { BenchOptions } from "./bench_options.ts";
import { HttpClient } from "./load/http_client.ts";
import type { LoadGenerator } from "./load/load_generator.ts";
import type { LoadOutcome, LoadPlan } from "./load/load_run.ts";
import type { RequestPlan } from "./load/request_plan.ts";
import { wrkLoad } from "./load/wrk_load.ts";
import { type IdleFigures, withIdle } from "./idle_connections.ts";
import { processorUs } from "./process_tree.ts";
import type { Workload } from "./workload.ts";

/** What was measured. */
export interface Figures {
  /** Processor time of the proxy for a request, in microseconds; for a WebSocket, for a message in one direction. */
  microseconds?: number;
  /** Requests or echoes a second, under full load. */
  perSecond?: number;
  /** Share of its cores that the proxy used under full load, 0 to 1: well below 1, the load was the limit. */
  busy?: number;
  /** Latency at the fixed rate, unless that is too much for it; the rarer ones where enough requests were made to tell. */
  p50Ms?: number;
  p99Ms?: number;
  p999Ms?: number;
  /** What idle connections cost. */
  idle?: IdleFigures;
  /** What went wrong under load. */
  errors: string[];
}

/** Where and how it is measured. */
export interface MeasurementOptions extends BenchOptions {
  port: number;
  /** Its process; without one, there is none between load and upstream. */
  pid?: number;
  /** For files of this measurement. */
  folder: string;
  generator: LoadGenerator;
}

/** Before latencies count: proxies go from full load, or from rest, to a part of it. */
const LEAD_IN_SECONDS = 0.3;
/** Latency is measured until so many requests were made, but for no longer than {@linkcode MOST_PACED_SECONDS}. */
const ENOUGH_REQUESTS = 10_000;
const MOST_PACED_SECONDS = 2;
/** Share of the requests that the load generator may send late: half of what p99 leaves out. */
const MOST_LATE = 0.005;
/** How long a peer is warmed up at the fixed rate. */
const PACED_WARM_UP_SECONDS = 1;
/** What a peer must do under full load, times the fixed rate, so that there is a latency. */
const HEADROOM = 1.05;

/** A peer that was warmed up. */
export interface WarmPeer {
  /** What is asked of it. */
  plan: RequestPlan;
  /** Requests or echoes a second of the fastest part of the warm-up; undefined where that was no full load. */
  perSecond?: number;
  /** What went wrong meanwhile. */
  errors: string[];
}

/**
 * Asks a peer that runs once, and puts it under full load for `warmUpSeconds`, after the first part for a while under that at
 * which latency is measured (after each, where that is all that is measured): it takes other ways through the proxy, and through the load generator, which is to be warm too.
 * Each part is a load as a round has one, with connections that are opened and closed: what JavaScript does for the first
 * time, even if rarely, costs it what was compiled without having seen it.
 *
 * @throws {Error} When it does not answer as it should, or not at all.
 */
export async function warmUp(workload: Workload, options: MeasurementOptions): Promise<WarmPeer> {
  const plan = await checkedPlan(workload, options.port);
  if (workload.idle !== undefined) {
    // Before memory is looked at, whatever grows with the first requests has grown.
    await pacedLoad(workload, plan, options);
    return { plan, errors: [] };
  }
  let perSecond = 0;
  const errors: string[] = [];
  for (let left = options.warmUpSeconds; left > 0; left -= options.seconds) {
    const rated = left === options.warmUpSeconds || workload.paced === true;
    const load = await fullLoad(workload, plan, Math.min(left, options.seconds), options);
    perSecond = Math.max(perSecond, load.perSecond);
    errors.push(...load.errors.map((error) => `while warming up: ${error}`));
    if (rated && perSecond > HEADROOM * workload.rate) {
      await pacedLoad(workload, plan, options, PACED_WARM_UP_SECONDS);
    }
  }
  return { plan, perSecond, errors };
}

/**
 * Measures a peer that is warm.
 *
 * @throws {Error} When it does not answer as it should, or not at all.
 */
export async function measure(workload: Workload, warm: WarmPeer, options: MeasurementOptions): Promise<Figures> {
  const { plan } = warm;
  if (workload.idle !== undefined) return await besideIdle(workload, plan, workload.idle, options);
  if (workload.paced === true) return await atFixedRate(workload, plan, options);
  const { pid } = options;
  const beforeUs = pid === undefined ? 0 : await processorUs(pid);
  const startMs = performance.now();
  const { requests, perSecond, messages, errors } = await fullLoad(workload, plan, options.seconds, options);
  const tookUs = (performance.now() - startMs) * 1000;
  if (requests === 0) throw new Error(["no answer under load", ...errors].join("; "));
  const us = pid === undefined ? NaN : await processorUs(pid) - beforeUs;
  const cost = { microseconds: us / messages, busy: us / tookUs / options.proxyCoreCount };
  const figures = {
    ...(pid === undefined ? {} : cost),
    perSecond,
    errors: [...errors, ...(requests < 100 ? [`${requests} requests are few`] : [])],
  };
  // By the warm-up too, so that one slow second does not leave a round without latency.
  if (Math.max(perSecond, warm.perSecond ?? 0) < HEADROOM * workload.rate) {
    figures.errors.push(`${workload.rate} requests/s are too much for it: no latency`);
    return figures;
  }
  const paced = await pacedLoad(workload, plan, options);
  return { ...figures, ...latencies(paced), errors: [...figures.errors, ...errorsOf(paced)] };
}

/** Asks once, so that what is measured is right answers; what files are validated with is in this answer. */
async function checkedPlan({ plan, needs }: Workload, port: number): Promise<RequestPlan> {
  if (needs === "sockets") return plan;
  const unchanged = plan.status === 304;
  const client = new HttpClient(port, unchanged ? { ...plan, status: 200 } : plan, 0);
  try {
    await client.exchange();
  } finally {
    client.close();
  }
  if (!unchanged) return plan;
  const tag = /\r\netag: *([^\r]+)/.exec(client.head);
  if (tag === null) throw new Error("no ETag to validate with");
  return { ...plan, headers: { ...plan.headers, "If-None-Match": tag[1] } };
}

interface FullLoad {
  requests: number;
  perSecond: number;
  /** What the processor time is divided by. */
  messages: number;
  errors: string[];
}

async function fullLoad(
  workload: Workload,
  plan: RequestPlan,
  seconds: number,
  { port, loadCores, folder, generator }: MeasurementOptions,
): Promise<FullLoad> {
  const { needs, connections } = workload;
  if (needs !== "sockets") {
    const load = await wrkLoad(plan, { cores: loadCores, port, seconds, connections, folder });
    return { ...load, messages: load.requests };
  }
  const asked = { messageBytes: plan.answerBytes };
  const load = await generator.run({ port, connections, seconds, leadInSeconds: 0, plan: asked });
  const errors = Object.entries(load.errors).map(([cause, count]) => `${cause}: ${count}`);
  // An echo passes twice. The handshakes of so few sockets do not show.
  return { requests: load.answered, perSecond: load.answered / seconds, messages: 2 * load.answered, errors };
}

async function pacedLoad(
  workload: Workload,
  plan: RequestPlan,
  options: MeasurementOptions,
  seconds = pacedSeconds(workload.rate, options),
): Promise<LoadOutcome> {
  const { port, generator } = options;
  const { needs, connections, rate } = workload;
  const paced: LoadPlan = {
    ...{ port, connections, rate, seconds, leadInSeconds: LEAD_IN_SECONDS },
    plan: needs === "sockets" ? { messageBytes: plan.answerBytes } : plan,
  };
  const load = await generator.run(paced);
  if (load.answered === 0) throw new Error(`no answer at the fixed rate; ${errorsOf(load).join(", ")}`);
  return load;
}

/** How long latency is measured, in seconds. */
export function pacedSeconds(
  rate: number,
  { seconds, latencySeconds }: Pick<BenchOptions, "seconds" | "latencySeconds">,
): number {
  return latencySeconds ?? Math.max(seconds, Math.min(MOST_PACED_SECONDS, ENOUGH_REQUESTS / rate));
}

/** What a request costs that comes alone: the proxy waits before each, and takes no two in one turn. */
async function atFixedRate(workload: Workload, plan: RequestPlan, options: MeasurementOptions): Promise<Figures> {
  const { pid } = options;
  const beforeUs = pid === undefined ? 0 : await processorUs(pid);
  const paced = await pacedLoad(workload, plan, options);
  const us = pid === undefined ? NaN : await processorUs(pid) - beforeUs;
  // The lead-in costs as much as what counts.
  const requests = paced.answered * (1 + LEAD_IN_SECONDS / pacedSeconds(workload.rate, options));
  return {
    ...(pid === undefined ? {} : { microseconds: us / requests }),
    ...latencies(paced),
    errors: errorsOf(paced),
  };
}

async function besideIdle(
  workload: Workload,
  plan: RequestPlan,
  count: number,
  options: MeasurementOptions,
): Promise<Figures> {
  const { idle, during, lost } = await withIdle(
    { plan, count, ...options },
    () => pacedLoad(workload, plan, options),
  );
  const closed = lost > 0 ? [`${lost} idle connections were closed`] : [];
  return { ...latencies(during), ...(idle === undefined ? {} : { idle }), errors: [...errorsOf(during), ...closed] };
}

function latencies({ answered, p50Ms, p99Ms, p999Ms }: LoadOutcome): Pick<Figures, "p50Ms" | "p99Ms" | "p999Ms"> {
  return { p50Ms, ...(answered >= 100 ? { p99Ms } : {}), ...(answered >= 1000 ? { p999Ms } : {}) };
}

/** What went wrong at the fixed rate, with what the load generator could not do: then the latencies are its own. */
function errorsOf({ errors, lateShare, unsentShare }: LoadOutcome): string[] {
  return [
    ...Object.entries(errors).map(([cause, count]) => `${cause}: ${count} at the fixed rate`),
    ...(lateShare > MOST_LATE ? [`the load generator was late with ${percent(lateShare)} of the requests`] : []),
    ...(unsentShare > MOST_LATE ? [`${percent(unsentShare)} of the requests found no free connection in time`] : []),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
