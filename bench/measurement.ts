/**
 * One peer under one workload, measured once.
 *
 * @module
 */

import type { BenchOptions } from "./bench_options.ts";
import { HttpClient } from "./load/http_client.ts";
import type { PacedLoad, PacedPlan } from "./load/paced_load.ts";
import type { RequestPlan } from "./load/request_plan.ts";
import { SOCKET_PATH, type SocketLoad } from "./load/socket_load.ts";
import { wrkLoad } from "./load/wrk_load.ts";
import { type IdleFigures, withIdle } from "./idle_connections.ts";
import { runPinned } from "./pinned_process.ts";
import { processorTicks, TICK_US } from "./process_tree.ts";
import type { Workload } from "./workload.ts";

/** What was measured. */
export interface Figures {
  /** Processor time of the proxy for a request, in microseconds; for a WebSocket, for a message in one direction. */
  microseconds?: number;
  /** Requests or echoes a second, under full load. */
  perSecond?: number;
  /** Share of its cores that the proxy used under full load, 0 to 1: well below 1, the load was the limit. */
  busy?: number;
  /** Latency at the fixed rate; the rarer ones where enough requests were made to tell. */
  p50Ms: number;
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
}

/** Before latencies count: the load generator itself must get warm. */
const LEAD_IN_SECONDS = 0.5;

/** A peer that was warmed up. */
export interface WarmPeer {
  /** What is asked of it. */
  plan: RequestPlan;
  /** Requests or echoes a second of the warm-up; undefined where that was no full load. */
  perSecond?: number;
  /** What went wrong meanwhile. */
  errors: string[];
}

/**
 * Asks a peer that runs once, and puts it under load for `warmUpSeconds`.
 *
 * @throws {Error} When it does not answer as it should, or not at all.
 */
export async function warmUp(workload: Workload, options: MeasurementOptions): Promise<WarmPeer> {
  const plan = await checkedPlan(workload, options.port);
  if (workload.idle !== undefined) {
    // Before memory is looked at, whatever grows with the first requests has grown.
    await pacedLoad(workload, plan, options.warmUpSeconds, options);
    return { plan, errors: [] };
  }
  const { perSecond, errors } = await fullLoad(workload, plan, options.warmUpSeconds, options);
  return { plan, perSecond, errors: errors.map((error) => `while warming up: ${error}`) };
}

/**
 * Measures a peer that is warm.
 *
 * @throws {Error} When it does not answer as it should, or not at all.
 */
export async function measure(workload: Workload, plan: RequestPlan, options: MeasurementOptions): Promise<Figures> {
  if (workload.idle !== undefined) return await besideIdle(workload, plan, workload.idle, options);
  if (workload.paced === true) return await atFixedRate(workload, plan, options);
  const { pid } = options;
  const beforeTicks = pid === undefined ? 0 : await processorTicks(pid);
  const startMs = performance.now();
  const { requests, perSecond, messages, errors } = await fullLoad(workload, plan, options.seconds, options);
  const tookSeconds = (performance.now() - startMs) / 1000;
  if (requests === 0) throw new Error(["no answer under load", ...errors].join("; "));
  const ticks = pid === undefined ? NaN : await processorTicks(pid) - beforeTicks;
  const paced = await pacedLoad(workload, plan, options.seconds, options);
  const cost = {
    microseconds: ticks * TICK_US / messages,
    busy: ticks * TICK_US / 1e6 / tookSeconds / options.proxyCoreCount,
  };
  return {
    ...(pid === undefined ? {} : cost),
    perSecond,
    ...latencies(paced),
    errors: [...errors, ...errorsOf(paced), ...remarks(workload, requests, perSecond)],
  };
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
  { port, loadCores, folder }: MeasurementOptions,
): Promise<FullLoad> {
  if (workload.needs !== "sockets") {
    const load = await wrkLoad(plan, { cores: loadCores, port, seconds, connections: workload.connections, folder });
    return { ...load, messages: load.requests };
  }
  const args = [port, workload.connections, seconds, plan.answerBytes].map(String);
  const said = await runPinned(loadCores, Deno.execPath(), ["run", "-A", own("load/socket_load.ts"), ...args]);
  const load: SocketLoad = JSON.parse(said);
  const perSecond = load.echoes / load.seconds;
  // An echo passes twice. The handshakes of so few sockets do not show.
  return { requests: load.echoes, perSecond, messages: 2 * load.echoes, errors: [] };
}

async function pacedLoad(
  { needs, connections, rate }: Workload,
  plan: RequestPlan,
  seconds: number,
  { port, folder, loadCores }: MeasurementOptions,
): Promise<PacedLoad> {
  const asked = needs === "sockets" ? { path: SOCKET_PATH, messageBytes: plan.answerBytes } : plan;
  const paced: PacedPlan = { port, connections, rate, seconds, leadInSeconds: LEAD_IN_SECONDS, plan: asked };
  const file = `${folder}/paced.json`;
  await Deno.writeTextFile(file, JSON.stringify(paced));
  const said = await runPinned(loadCores, Deno.execPath(), ["run", "-A", own("load/paced_load.ts"), file]);
  const load: PacedLoad = JSON.parse(said);
  if (load.answered === 0) throw new Error(`no answer at the fixed rate; ${errorsOf(load).join(", ")}`);
  return load;
}

/** What a request costs that comes alone: the proxy waits before each, and takes no two in one turn. */
async function atFixedRate(workload: Workload, plan: RequestPlan, options: MeasurementOptions): Promise<Figures> {
  const { pid } = options;
  const beforeTicks = pid === undefined ? 0 : await processorTicks(pid);
  const paced = await pacedLoad(workload, plan, options.seconds, options);
  const ticks = pid === undefined ? NaN : await processorTicks(pid) - beforeTicks;
  // The lead-in costs as much as what counts.
  const requests = paced.answered * (1 + LEAD_IN_SECONDS / options.seconds);
  return {
    ...(pid === undefined ? {} : { microseconds: ticks * TICK_US / requests }),
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
    () => pacedLoad(workload, plan, options.seconds, options),
  );
  const closed = lost > 0 ? [`${lost} idle connections were closed`] : [];
  return { ...latencies(during), ...(idle === undefined ? {} : { idle }), errors: [...errorsOf(during), ...closed] };
}

function latencies({ answered, p50Ms, p99Ms, p999Ms }: PacedLoad): Pick<Figures, "p50Ms" | "p99Ms" | "p999Ms"> {
  return { p50Ms, ...(answered >= 100 ? { p99Ms } : {}), ...(answered >= 1000 ? { p999Ms } : {}) };
}

/** What a reader of the figures must know. */
function remarks({ rate }: Workload, requests: number, perSecond: number): string[] {
  return [
    ...(requests < 100 ? [`${requests} requests are few`] : []),
    ...(perSecond < 1.3 * rate ? [`the fixed rate of ${rate}/s is too much for it: no latency to compare`] : []),
  ];
}

function errorsOf({ errors }: PacedLoad): string[] {
  return Object.entries(errors).map(([cause, count]) => `${cause}: ${count} at the fixed rate`);
}

function own(file: string): string {
  return new URL(file, import.meta.url).pathname;
}
