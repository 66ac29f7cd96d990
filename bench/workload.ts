/**
 * What is measured: the workloads, each as plain data.
 *
 * @module
 */

import type { RequestPlan } from "./load/request_plan.ts";
import type { Ability } from "./peers/peer.ts";
import { GREETING } from "./upstream_server.ts";

/** A workload. */
export interface Workload {
  /** What it is called, in `--only` too. */
  name: string;
  /** What it is, for the table. */
  title: string;
  /** What a peer must be able to do. */
  needs: Ability;
  /** Whether a peer can do it that only takes small answers. */
  small?: true;
  /** What is asked; for WebSockets, only the length counts. */
  plan: RequestPlan;
  /** Connections under full load, and at the fixed rate. */
  connections: number;
  /** The fixed rate, in requests a second: well below what the slowest peer can do. */
  rate: number;
  /** How many prefixes are routed. @default 0, which is one for everything */
  routes?: number;
  /** How many upstreams share the load. @default 1 */
  upstreams?: number;
  /** Whether the processor time is that of the fixed rate, not of full load. */
  paced?: true;
  /** How many connections idle meanwhile. @default 0 */
  idle?: number;
  /** Workloads that differ in size alone, and the size of this one. */
  growth?: { of: string; size: string };
  /** The most that BWS is to cost, times nginx's processor time. */
  goal?: Goal;
}

/** A goal, or one for each driver of sockets. */
export type Goal = number | { epoll: number; uring: number; runtime: number };

const SMALL_RATE = 1200;
const LARGE_BYTES = 1_048_576;

const GET: RequestPlan = {
  method: "GET",
  paths: ["/"],
  headers: {},
  bodyBytes: 0,
  newConnection: false,
  status: 200,
  answerBytes: GREETING.length,
};
const POST: RequestPlan = { ...GET, method: "POST", paths: ["/post"], headers: { "Content-Type": "application/json" } };
const SMALL = { needs: "proxy", connections: 64, rate: SMALL_RATE } as const;
const LARGE = { needs: "proxy", connections: 16, rate: 100 } as const;

/** All workloads, in the order in which they are run. */
export const WORKLOADS: readonly Workload[] = [
  {
    ...SMALL,
    name: "small-get",
    title: "GET, 12 B",
    small: true,
    plan: GET,
    growth: { of: "responses", size: "12 B" },
    goal: { epoll: 0.95, uring: 0.8, runtime: 1.3 },
  },
  {
    ...SMALL,
    name: "one-connection",
    title: "GET, one connection",
    small: true,
    plan: GET,
    connections: 1,
    rate: 500,
    goal: 1.2,
  },
  {
    ...SMALL,
    name: "paced-1k",
    title: "GET, 1,000 a second over 16 connections",
    small: true,
    plan: GET,
    connections: 16,
    rate: 1000,
    paced: true,
    goal: 1.2,
  },
  {
    ...SMALL,
    name: "post-1k",
    title: "POST, 1 KB of JSON",
    plan: { ...POST, bodyBytes: 1024 },
    growth: posts("1 KB"),
    goal: 1.1,
  },
  {
    ...SMALL,
    name: "get-64k",
    title: "GET, 64 KB",
    rate: 500,
    plan: { ...GET, paths: ["/body/64k"], answerBytes: 65_536 },
    growth: { of: "responses", size: "64 KB" },
    goal: 1,
  },
  {
    ...LARGE,
    name: "get-1m",
    title: "GET, 1 MB",
    plan: { ...GET, paths: ["/body/1m"], answerBytes: LARGE_BYTES },
    growth: { of: "responses", size: "1 MB" },
    goal: 0.9,
  },
  {
    ...LARGE,
    name: "upload-1m",
    title: "POST, 1 MB",
    plan: { ...POST, bodyBytes: LARGE_BYTES },
    growth: posts("1 MB"),
    goal: 1,
  },
  {
    ...SMALL,
    name: "connect",
    title: "GET, new connection each",
    rate: 500,
    plan: { ...GET, newConnection: true },
    goal: 1.2,
  },
  ...[1000, 10_000].map((idle): Workload => ({
    ...SMALL,
    name: `idle-${short(idle)}`,
    title: `GET beside ${count(idle)} idle connections`,
    plan: GET,
    idle,
    growth: { of: "idle connections", size: count(idle) },
  })),
  { ...SMALL, ...file("small", "small file, 1 KB", 1024), growth: { of: "files", size: "1 KB" }, goal: 0.9 },
  { ...LARGE, ...file("large", "large file, 1 MB", LARGE_BYTES), growth: { of: "files", size: "1 MB" }, goal: 1.1 },
  { ...SMALL, ...file("304", "small file, not modified", 0), goal: 0.9 },
  ...[128, 65_536].map((bytes): Workload => ({
    ...SMALL,
    name: `socket-${bytes < 1024 ? bytes : "64k"}`,
    title: `WebSocket echo, ${bytes < 1024 ? `${bytes} B` : "64 KB"}`,
    needs: "sockets",
    rate: bytes < 1024 ? SMALL_RATE : 200,
    plan: { ...GET, answerBytes: bytes },
    growth: { of: "WebSocket messages", size: bytes < 1024 ? `${bytes} B` : "64 KB" },
    goal: bytes < 1024 ? 1.5 : 0.6,
  })),
  ...[10, 100, 1000, 10_000].map((routes): Workload => ({
    ...SMALL,
    name: `routes-${short(routes)}`,
    title: `GET, one of ${count(routes)} routes`,
    needs: "routes",
    plan: { ...GET, paths: askedPaths(routes) },
    routes,
    growth: { of: "routes", size: count(routes) },
    ...(routes === 10_000 ? { goal: 1.1 } : {}),
  })),
  ...[2, 10, 100, 1000].map((upstreams): Workload => ({
    ...SMALL,
    name: `upstreams-${short(upstreams)}`,
    title: `GET, ${count(upstreams)} upstreams in turn`,
    needs: "pool",
    plan: GET,
    upstreams,
    growth: { of: "upstreams", size: count(upstreams) },
    ...(upstreams === 1000 ? { goal: 1.1 } : {}),
  })),
];

/** The prefix of route `n`. */
export function routePath(n: number): string {
  return `/team${n % 100}/service${n}`;
}

/** Enough different paths that neither caches nor predictions know them all. */
function askedPaths(routes: number): string[] {
  return Array.from({ length: Math.min(routes, 1024) }, (_, n) => `${routePath((n * 7919) % routes)}/users/42`);
}

function file(name: string, title: string, answerBytes: number): Pick<Workload, "name" | "title" | "needs" | "plan"> {
  const unchanged = answerBytes === 0;
  const path = name === "large" ? "/large.txt" : "/small.txt";
  const plan = { ...GET, paths: [path], answerBytes, status: unchanged ? 304 : 200 };
  return { name: `static-${name}`, title, needs: "files", plan };
}

function posts(size: string): { of: string; size: string } {
  return { of: "requests", size };
}

function short(number: number): string {
  return number >= 1000 ? `${number / 1000}k` : String(number);
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
