/**
 * The state of a running server as the management API returns it, for the dashboard, for `bws top` and for scripts: plain
 * JSON data. Shares are from 0 to 1, times are in milliseconds, and a time in the future is given as the time that is left,
 * so that the clocks of both sides need not agree.
 *
 * - `GET /api/events` is a stream of server-sent events. Each `event: snapshot` holds a whole {@linkcode Snapshot}; one
 *   comes at once, then one a second. The first one of a stream, and no other, has `history`.
 * - `PATCH /api/upstreams/{id}` with an {@linkcode UpstreamChange} responds with 2xx when the next snapshot will show
 *   it, else with a {@linkcode Refusal}. One of type {@linkcode LastUpstream} can be overridden by `?force=true`.
 * - Where an API key is configured both require `Authorization: Bearer KEY` and respond with 401 without it.
 *
 * @module
 */

import type { Problem } from "../config/problem.ts";
import type { CertificateOrigin } from "../listener/tls/certificate.ts";
import type { ListenerKind } from "../listener/listener_kind.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { SocketDriverName } from "../sockets/driver_name.ts";
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
  /** Whether metrics are kept. Without them (`management.metrics = false`) all rates are 0. */
  readonly metrics: boolean;
  /** The active config, and the one that was refused. */
  readonly config: ConfigSnapshot;
  /** Resources and workers of the process. */
  readonly process: ProcessSnapshot;
  /** The ports of the sites. */
  readonly ports: readonly PortSnapshot[];
  /** Certificates of the sites, in the order of the config; then those of names that clients asked for. */
  readonly certificates: readonly CertificateSnapshot[];
  /** All exchanges together. */
  readonly totals: Totals;
  /** In the order of the config. */
  readonly sites: readonly SiteSnapshot[];
  /** In the order of the config. */
  readonly pools: readonly PoolSnapshot[];
  /** Recent failures, equal ones merged, the newest first, at most 50. */
  readonly failures: readonly FailureSnapshot[];
  /** The last minutes; in the first snapshot of a stream only. */
  readonly history?: History;
}

/** Rates of the last seconds, and exchanges under way. */
export interface Flow {
  /** Exchanges (of an upstream: attempts) a second that ended. */
  readonly requestRate: number;
  /** Exchanges (attempts) a second that failed: status 5xx, or no response. */
  readonly errorRate: number;
  /** Under way. */
  readonly inFlight: number;
  /** Median duration (of an upstream: to the head of its response); null when nothing ended. */
  readonly p50Ms: number | null;
  /** 95th percentile. */
  readonly p95Ms: number | null;
  /** 99th percentile. */
  readonly p99Ms: number | null;
}

/** All exchanges together. */
export interface Totals extends Flow {
  /** Exchanges since the start. */
  readonly requests: number;
  /** Exchanges since the start that failed. */
  readonly errors: number;
  /** Exchanges a second by status class: 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statusRates: readonly [number, number, number, number, number];
  /** Bytes a second of request bodies, and of messages of WebSockets, that came from clients. */
  readonly receivedRate: number;
  /** Bytes a second of response bodies, and of messages of WebSockets, that went to clients. */
  readonly sentRate: number;
  /** WebSockets that are open. */
  readonly openSockets: number;
}

/** The active config, and the one that was refused. */
export interface ConfigSnapshot {
  /** Number of the active config, counted from 1. */
  readonly generation: number;
  /** Path of its file; null when there is none. */
  readonly file: string | null;
  /** When it was activated, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** The last reload, if it was refused; else null. */
  readonly refused: RefusedReload | null;
}

/** A reload that was refused; the config before it stays active. */
export interface RefusedReload {
  /** In milliseconds since 1970. */
  readonly atMs: number;
  /** The reasons. Secrets are masked. */
  readonly problems: readonly Problem[];
}

/** Resources and workers of the process. */
export interface ProcessSnapshot {
  /** Resident memory, in bytes. */
  readonly memoryBytes: number;
  /** Processor time a second, in seconds: 1 is one core. */
  readonly cpuCores: number;
  /** Open files and sockets; null where unknown. */
  readonly openFiles: number | null;
  /** The socket driver, and why it was chosen. */
  readonly sockets: { readonly driver: SocketDriverName; readonly reason: string };
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
  /** Largest delay of its event loop in the last seconds, in milliseconds. */
  readonly loopDelayMs: number;
  /** Number of restarts. */
  readonly restarts: number;
}

/** A port of sites. */
export interface PortSnapshot {
  /** IP address that it listens on. */
  readonly address: string;
  /** Port number. */
  readonly port: number;
  /** Which listener serves it. */
  readonly listener: ListenerKind;
  /** Whether it is open in all workers. A port that was opened again counts as open after a second. */
  readonly open: boolean;
  /** For how long it has been closed; null while it is open. */
  readonly closedForMs: number | null;
  /** For how long no connection can be accepted on the open port; null while they can. */
  readonly failingForMs: number | null;
  /** Why it is closed, or why no connection can be accepted; null while it is open and accepts. */
  readonly reason: string | null;
  /** How often the port was opened again. */
  readonly reopenings: number;
  /** Connections of clients since the start; null where metrics are off, or the listener cannot count them. */
  readonly connections: ConnectionCounts | null;
}

/** Connections of clients to a port. */
export interface ConnectionCounts {
  readonly accepted: number;
  /** Connections that are open. */
  readonly open: number;
  /** Connections that were closed, by cause. */
  readonly closed: Readonly<Record<string, number>>;
  /** TLS handshakes that have ended, by result. */
  readonly handshakes: Readonly<Record<string, number>>;
  /** Connections that could not be accepted. */
  readonly acceptFailures: number;
}

/** A name of a site, and its certificate. */
export interface CertificateSnapshot {
  /** In lower case; with `*.` for wildcards. */
  readonly name: string;
  readonly origin: CertificateOrigin;
  /** Time until it expires, negative afterwards; null where there is none. */
  readonly expiresInMs: number | null;
  /** Time until it is renewed, negative where that is late; null where there is none, or where it is not BWS that renews it. */
  readonly renewInMs: number | null;
  /** Whether one is being ordered. */
  readonly ordering: boolean;
  /** Whether a client asked for the name, which no site lists. */
  readonly onDemand: boolean;
  /** Why none could be had the last time; null after a success. */
  readonly problem: CertificateProblemSnapshot | null;
}

/** An order of a certificate that failed. */
export interface CertificateProblemSnapshot {
  /** In the words of the authority. */
  readonly message: string;
  /** When it failed, in milliseconds since 1970. */
  readonly atMs: number;
  /** How many failed in a row. */
  readonly failures: number;
  /** Time until the next try. */
  readonly nextTryInMs: number;
}

/** A site. */
export interface SiteSnapshot extends Flow {
  /** As in the config. */
  readonly name: string;
  /** Host names; empty when the site is chosen by its port only. */
  readonly hosts: readonly string[];
  /** Addresses on which it listens, such as `http://0.0.0.0:8080`. */
  readonly addresses: readonly string[];
  /** Routes in the order of the config; requests without a route go to the files, if there are any. */
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
 * A pool. Its flow is that of its routes, so it includes requests that were sent to no upstream because none was available.
 * Routes of one path share their metrics.
 */
export interface PoolSnapshot extends Flow {
  /** Unique in the server, such as `site/name`. */
  readonly id: string;
  /** Name that routes refer to. */
  readonly name: string;
  /** Name of its site. */
  readonly site: string;
  /** Balancing policy, such as `round_robin`. */
  readonly policy: string;
  /** Exchanges that wait for a connection to one of its upstreams. */
  readonly waiting: number;
  /** Whether requests are tried all the same when no upstream is available (`when_all_unhealthy = "try_anyway"`). */
  readonly triesAnyway: boolean;
  /** Whether its upstreams are probed: it has an active health check. */
  readonly probed: boolean;
  /** Number of upstreams that take requests, including those on trial. */
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
  /** Result of the probes; `unknown` before the first one, or when there are none. */
  readonly health: "healthy" | "unhealthy" | "unknown";
  /** Current share of the load. */
  readonly weight: number;
  /** Share of the load in the config. */
  readonly configWeight: number;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** Connections that are open and idle. */
  readonly idleConnections: number;
  /** Whether it serves only when no other can. */
  readonly backup: boolean;
  /** Why its last probe or attempt failed, or counted as too slow; null when it succeeded. */
  readonly lastFailure: string | null;
}

/** Exchanges that failed in the same way: the newest of them, and their number. */
export interface FailureSnapshot extends FailureReport {
  /** Identifies the way of failing; counted from 1. */
  readonly number: number;
  /** When the first of them ended, in milliseconds since 1970. */
  readonly firstAtMs: number;
  /** How many there are. */
  readonly count: number;
  /** Whether they have more than one path. */
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
  /** By the `id` of the upstream; 0 where it did not exist. */
  readonly upstreams: Readonly<Record<string, FlowHistory>>;
}

/** Values of {@linkcode Flow} over time. */
export interface FlowHistory {
  readonly requestRate: readonly number[];
  readonly errorRate: readonly number[];
}

/** A change of an upstream: of its state, its weight, or both. A weight is a whole number from 1 to 65535. */
export type UpstreamChange =
  | { readonly state: AdminState; readonly weight?: number }
  | { readonly state?: AdminState; readonly weight: number };

/** The `type` of the refusal of a change that leaves a pool without an upstream that takes requests. */
export type LastUpstream = "urn:bws:last-upstream";

/** The reason of a refusal. */
export interface Refusal {
  /** Identifies refusals that a program can handle; all others have `about:blank`. */
  readonly type: LastUpstream | "about:blank";
  /** A sentence for the operator. */
  readonly error: string;
}
