/**
 * One proxy, three upstreams, steady load, and what befalls one of the three: what the clients saw of it.
 *
 * @module
 */

import { type Fault, FaultyUpstream } from "../../tests/support/faulty_upstream.ts";
import { failed, misdone, type Outcome, SteadyLoad } from "../../tests/support/steady_load.ts";
import { freePort, listening, startPinned, stop } from "../pinned_process.ts";
import { CONNECT_TIMEOUT_MS, prepareSubject } from "./subject.ts";

/** What may befall upstreams. */
export type FaultScenario = Fault | "nothing" | "rolling restart";

/** All of them, in order; the first shows what the machine itself does. */
export const ORDEALS: readonly FaultScenario[] = [
  "nothing",
  ...["kill", "stop", "slow", "status", "reset", "refuse", "black hole"] as const,
  "rolling restart",
];

/** How an ordeal is run. */
export interface OrdealOptions {
  /** Key of the proxy. */
  readonly subject: string;
  /** Cores of the proxy, as taskset takes them. */
  readonly cores: string;
  readonly getsPerSecond: number;
  readonly postsPerSecond: number;
  /** Load before anything happens. */
  readonly leadInMs: number;
  /** How long it lasts. */
  readonly faultMs: number;
  /** Longest wait until an upstream that is well again has its share. */
  readonly returnMs: number;
}

/** What clients saw. */
export interface OrdealFigures {
  readonly gets: number;
  readonly failedGets: number;
  readonly posts: number;
  readonly failedPosts: number;
  /** What came of the failed ones, and how often. */
  readonly causes: ReadonlyMap<string, number>;
  /** POSTs that were done twice, or answered well and not done. */
  readonly misdonePosts: readonly string[];
  /** Of GETs, from the blow until it was over. */
  readonly p99Ms: number;
  /** Until clients saw no more of the faulty upstream than trials; undefined when they did to the end. */
  readonly ejectMs: number | undefined;
  /** From when it was well again until it had its share; undefined when it had not in time. */
  readonly returnMs: number | undefined;
}

const UPSTREAMS = 3;
/** Clients' time is looked at in pieces of this length. */
const PIECE_MS = 250;
/** Who waited for so long has waited for a timeout. */
const STUCK_MS = CONNECT_TIMEOUT_MS * 0.8;

/** Runs `ordeal` once. */
export async function runOrdeal(ordeal: FaultScenario, options: OrdealOptions): Promise<OrdealFigures> {
  const folder = await Deno.makeTempDir({ prefix: "bws-resilience-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const upstreams: FaultyUpstream[] = [];
  for (let n = 0; n < UPSTREAMS; n++) upstreams.push(stack.use(await FaultyUpstream.start(`u${n}`)));
  const port = freePort();
  const addresses = upstreams.map((upstream) => `127.0.0.1:${upstream.port}`);
  const start = await prepareSubject(options.subject, { port, folder, upstreams: addresses });
  const proxy = startPinned(options.cores, start.command, start.args, { env: start.env });
  stack.defer(() => stop(proxy));
  await listening(port, proxy);
  const load = stack.use(new SteadyLoad(port, { gets: options.getsPerSecond, posts: options.postsPerSecond }));
  await pause(options.leadInMs);
  const beganMs = performance.now();
  const overMs = ordeal === "rolling restart"
    ? await rollingRestart(upstreams, load, options.returnMs)
    : await blow(ordeal, upstreams[0], load, options);
  await load.stop();
  const struck = ordeal !== "nothing" && ordeal !== "rolling restart";
  return judge(load.outcomes, upstreams, { beganMs, overMs, struck });
}

async function blow(
  fault: Fault | "nothing",
  victim: FaultyUpstream,
  load: SteadyLoad,
  options: OrdealOptions,
): Promise<number> {
  if (fault !== "nothing") await victim.suffer(fault);
  await pause(options.faultMs);
  if (fault !== "nothing") await victim.recover(fault);
  const overMs = performance.now();
  await shareBack(load, victim.name, overMs, options.returnMs);
  return overMs;
}

async function rollingRestart(upstreams: FaultyUpstream[], load: SteadyLoad, longestMs: number): Promise<number> {
  for (const upstream of upstreams) {
    await upstream.restart();
    await shareBack(load, upstream.name, performance.now(), longestMs);
  }
  return performance.now();
}

/** Waits until `name` has its share again, and a moment longer. */
async function shareBack(load: SteadyLoad, name: string, fromMs: number, longestMs: number): Promise<void> {
  while (performance.now() - fromMs < longestMs && returnOf(load.outcomes, name, fromMs) === undefined) {
    await pause(PIECE_MS);
  }
  await pause(PIECE_MS);
}

function judge(
  outcomes: readonly Outcome[],
  upstreams: readonly FaultyUpstream[],
  { beganMs, overMs, struck }: { beganMs: number; overMs: number; struck: boolean },
): OrdealFigures {
  const seen = outcomes.filter(({ dueMs }) => dueMs >= beganMs);
  const gets = seen.filter(({ method }) => method === "GET");
  const times = gets.filter(({ dueMs }) => dueMs < overMs).map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const [{ name }] = upstreams;
  return {
    gets: gets.length,
    failedGets: failed(seen, "GET").length,
    posts: seen.length - gets.length,
    failedPosts: failed(seen, "POST").length,
    causes: causesOf([...failed(seen, "GET"), ...failed(seen, "POST")]),
    misdonePosts: misdone(outcomes, upstreams.map(({ done }) => done)),
    p99Ms: times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0,
    ejectMs: struck ? ejectOf(seen, name, beganMs, overMs) : undefined,
    returnMs: struck ? returnOf(outcomes, name, overMs) : undefined,
  };
}

function causesOf(failures: readonly Outcome[]): Map<string, number> {
  const causes = new Map<string, number>();
  for (const { status, failure } of failures) {
    const cause = status === 0 ? failure : String(status);
    causes.set(cause, (causes.get(cause) ?? 0) + 1);
  }
  return causes;
}

/** Until the end of the last piece of time before half a second in which no more than a tenth of its share went wrong. */
function ejectOf(outcomes: readonly Outcome[], name: string, beganMs: number, overMs: number): number | undefined {
  const touched = ({ status, upstream, tookMs }: Outcome) =>
    status < 200 || status > 299 || upstream === name || tookMs > STUCK_MS;
  let clean = 0;
  for (let fromMs = beganMs; fromMs + PIECE_MS <= overMs; fromMs += PIECE_MS) {
    const piece = within(outcomes, fromMs, PIECE_MS);
    clean = piece.filter(touched).length <= piece.length / UPSTREAMS / 10 ? clean + 1 : 0;
    if (clean === 2) return fromMs - PIECE_MS - beganMs;
  }
  return undefined;
}

/** Until half a second begins in which `name` gave four fifths of its share of the answers. */
function returnOf(outcomes: readonly Outcome[], name: string, overMs: number): number | undefined {
  const lastMs = outcomes.reduce((latest, { dueMs }) => Math.max(latest, dueMs), 0);
  for (let fromMs = overMs; fromMs + 2 * PIECE_MS <= lastMs; fromMs += PIECE_MS) {
    const piece = within(outcomes, fromMs, 2 * PIECE_MS);
    const its = piece.filter(({ upstream, status }) => upstream === name && status === 200).length;
    if (piece.length > 0 && its >= piece.length / UPSTREAMS * 0.8) return fromMs - overMs;
  }
  return undefined;
}

function within(outcomes: readonly Outcome[], fromMs: number, lengthMs: number): Outcome[] {
  return outcomes.filter(({ dueMs }) => dueMs >= fromMs && dueMs < fromMs + lengthMs);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
