/**
 * What the management listener tells of a running server, for its dashboard, for `bws top` and for scripts: plain data
 * that survives JSON. Shares are from 0 to 1, times are in milliseconds, and everything that is yet to come is told as
 * the time that is left, so that the clocks of both sides need not agree.
 *
 * - `GET /api/events` is a stream of server-sent events. Each `event: snapshot` holds a whole {@linkcode Snapshot}; one
 *   comes at once, then one a second. The first one of a stream, and no other, has `history`.
 * - `PATCH /api/upstreams/{id}` with an {@linkcode UpstreamChange} answers with 2xx when the next snapshot will show
 *   it, else with a {@linkcode Refusal}. One of type {@linkcode LastUpstream} wants `?force=true`.
 * - Where an API key is configured both want `Authorization: Bearer KEY` and answer 401 without it.
 *
 * @module
 */

import type { Problem } from "../config/problem.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { AdminState, UpstreamFacts, UpstreamState } from "../upstream/condition/upstream_states.ts";

export type { AdminState, UpstreamState };

/** The server at one moment. */
export interface Snapshot {
  /** Version of the program. */
  readonly version: string;
  /** When it was taken, in milliseconds since 1970. */
  readonly atMs: number;
  /** Since the program started, in milliseconds. */
  readonly uptimeMs: number;
  /** Whether metrics are kept. Without them (`management.metrics = false`) rates are 0, and say nothing. */
  readonly metrics: boolean;
  /** The config that runs, and the one that was refused. */
  readonly config: ConfigSnapshot;
  /** The program as the machine sees it. */
  readonly process: ProcessSnapshot;
  /** The ports of the sites. */
  readonly ports: readonly PortSnapshot[];
  /** All exchanges together. */
  readonly totals: Totals;
  /** In the order of the config. */
  readonly sites: readonly SiteSnapshot[];
  /** In the order of the config. */
  readonly pools: readonly PoolSnapshot[];
  /** Failures of late, equal ones together, the newest first, 50 at the most. */
  readonly failures: readonly FailureSnapshot[];
  /** The last minutes; in the first snapshot of a stream only. */
  readonly history?: History;
}

/** What passed in the last seconds, and what is under way. */
export interface Flow {
  /** Exchanges (of an upstream: attempts) a second that ended. */
  readonly requestRate: number;
  /** Those of them a second that failed: status 5xx, or no answer. */
  readonly errorRate: number;
  /** Under way. */
  readonly inFlight: number;
  /** Half of them took no longer (of an upstream: to the head of its answer); null when nothing ended. */
  readonly p50Ms: number | null;
  /** 95 % of them took no longer. */
  readonly p95Ms: number | null;
  /** 99 % of them took no longer. */
  readonly p99Ms: number | null;
}

/** All exchanges together. */
export interface Totals extends Flow {
  /** Exchanges since the start. */
  readonly requests: number;
  /** Those of them that failed. */
  readonly errors: number;
  /** Exchanges a second by status class: 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statusRates: readonly [number, number, number, number, number];
  /** Bytes a second of requests' bodies, and of messages of WebSockets, that came from clients. */
  readonly receivedRate: number;
  /** Bytes a second of answers' bodies, and of messages of WebSockets, that went to clients. */
  readonly sentRate: number;
  /** WebSockets that are open. */
  readonly openSockets: number;
}

/** The config that runs, and the one that was refused. */
export interface ConfigSnapshot {
  /** Counts up with each config that was put in place, from 1. */
  readonly generation: number;
  /** Path of its file; null when there is none. */
  readonly file: string | null;
  /** When it was put in place, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** The last reload, when it was refused; null once one was accepted. */
  readonly refused: RefusedReload | null;
}

/** A reload that was refused; the config before it runs on. */
export interface RefusedReload {
  /** In milliseconds since 1970. */
  readonly atMs: number;
  /** Why. The values of secrets are masked. */
  readonly problems: readonly Problem[];
}

/** The program as the machine sees it. */
export interface ProcessSnapshot {
  /** Resident memory, in bytes. */
  readonly memoryBytes: number;
  /** Processor time a second, in seconds: 1 is one core. */
  readonly cpuCores: number;
  /** Open files and sockets; null where the system does not tell. */
  readonly openFiles: number | null;
  /** One entry for each worker. */
  readonly workers: readonly WorkerSnapshot[];
}

/** A worker. */
export interface WorkerSnapshot {
  /** From 0. */
  readonly index: number;
  /** Whether it serves. */
  readonly state: "starting" | "serving" | "draining" | "ended";
  /** Exchanges a second. */
  readonly requestRate: number;
  /** Exchanges under way. */
  readonly inFlight: number;
  /** How late its event loop was at the worst in the last seconds, in milliseconds. */
  readonly loopDelayMs: number;
  /** How often it was started again. */
  readonly restarts: number;
}

/** A port of sites. */
export interface PortSnapshot {
  /** IP address that it listens on. */
  readonly address: string;
  /** Port number. */
  readonly port: number;
  /** Whether connections are accepted, by all workers; one that was opened again counts after a second. */
  readonly open: boolean;
  /** For how long it has been closed; null while it is open. */
  readonly closedForMs: number | null;
  /** Why it closed, or could not be opened again; null while it is open. */
  readonly reason: string | null;
  /** How often it was opened again. */
  readonly reopenings: number;
}

/** A site. */
export interface SiteSnapshot extends Flow {
  /** As in the config. */
  readonly name: string;
  /** Host names that it answers for; empty when it is chosen by its port alone. */
  readonly hosts: readonly string[];
  /** Where it listens, such as `http://0.0.0.0:8080`. */
  readonly addresses: readonly string[];
  /** Its routes in the order of the config; what is left goes to its files, if it has any. */
  readonly routes: readonly RouteSnapshot[];
  /** Whether it serves files. */
  readonly files: boolean;
}

/** A route. */
export interface RouteSnapshot extends Flow {
  /** Path as in the config. */
  readonly path: string;
  /** How the path is compared. */
  readonly kind: "prefix" | "exact" | "pattern";
  /** The `id` of its pool; null when it has none. */
  readonly poolId: string | null;
  /** Whether it lets WebSockets through. */
  readonly websocket: boolean;
}

/**
 * A pool. Its flow is that of its routes, so that requests which no upstream got, since none was available, are in it. Routes
 * of one path share their metrics.
 */
export interface PoolSnapshot extends Flow {
  /** Unique in the server, such as `site/name`. */
  readonly id: string;
  /** Name that routes refer to. */
  readonly name: string;
  /** Name of its site. */
  readonly site: string;
  /** How it chooses, such as `round_robin`. */
  readonly policy: string;
  /** Exchanges that wait for room in it. */
  readonly waiting: number;
  /** Whether requests are tried all the same when no upstream is available (`when_all_unhealthy = "try_anyway"`). */
  readonly triesAnyway: boolean;
  /** Whether its upstreams are probed: it has an active health check. */
  readonly probed: boolean;
  /** Upstreams that take requests, those on trial among them. */
  readonly available: number;
  /** In the order of the config. */
  readonly upstreams: readonly UpstreamSnapshot[];
}

/** An upstream. */
export interface UpstreamSnapshot extends Flow, UpstreamFacts {
  /** Unique in the server, the same after a reload; letters, digits, `-`, `_`, `.` and `~` only. */
  readonly id: string;
  /** Its `url`, without a password. */
  readonly url: string;
  /** What the probes say; `unknown` before the first one, or when there are none. */
  readonly health: "healthy" | "unhealthy" | "unknown";
  /** Share of the load that it is given now. */
  readonly weight: number;
  /** Share of the load that the config gives it. */
  readonly configWeight: number;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** Connections that are open and idle. */
  readonly idleConnections: number;
  /** Whether it serves only when no other can. */
  readonly backup: boolean;
  /** Why its last probe or attempt failed, or counted as too slow; null when that went well. */
  readonly lastFailure: string | null;
}

/** Exchanges that failed in one way: the newest of them, and how many there are. */
export interface FailureSnapshot extends FailureReport {
  /** Counts up with each way, and stays the same for one. */
  readonly number: number;
  /** When the first of them ended, in milliseconds since 1970. */
  readonly firstAtMs: number;
  /** How many there are. */
  readonly count: number;
  /** Whether they are of more paths than that of the newest. */
  readonly manyPaths: boolean;
}

/** The last minutes, the oldest first: the lists have one value for each entry of `atMs`. */
export interface History {
  /** In milliseconds since 1970; steps of one to five seconds, for three to ten minutes. */
  readonly atMs: readonly number[];
  /** All exchanges together. */
  readonly totals: FlowHistory & {
    readonly p50Ms: readonly (number | null)[];
    readonly p95Ms: readonly (number | null)[];
    readonly p99Ms: readonly (number | null)[];
    readonly inFlight: readonly number[];
    readonly memoryBytes: readonly number[];
  };
  /** By the `id` of the upstream; 0 where it was not there. */
  readonly upstreams: Readonly<Record<string, FlowHistory>>;
}

/** Figures of {@linkcode Flow}, over time. */
export interface FlowHistory {
  readonly requestRate: readonly number[];
  readonly errorRate: readonly number[];
}

/** What can be changed of an upstream: its state, its weight, or both. A weight is a whole number from 1 to 65535. */
export type UpstreamChange =
  | { readonly state: AdminState; readonly weight?: number }
  | { readonly state?: AdminState; readonly weight: number };

/** The `type` of the refusal of a change that leaves a pool without an upstream that takes requests. */
export type LastUpstream = "urn:bws:last-upstream";

/** Why something was not done. */
export interface Refusal {
  /** Tells refusals that a program acts on from others, which have `about:blank`. */
  readonly type: LastUpstream | "about:blank";
  /** A sentence for the operator. */
  readonly error: string;
}
