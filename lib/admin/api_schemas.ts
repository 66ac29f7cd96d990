/**
 * The schemas of requests and responses of the management API. The compiler checks those of snapshots against the types in
 * `snapshot.ts`, and the tests check them against real responses; the OpenAPI document is generated from them.
 *
 * @module
 */

import { z } from "zod";
import { LISTENER_KINDS } from "../listener/listener_kind.ts";
import { SOCKET_DRIVERS } from "../sockets/driver_name.ts";
import { upstreamUrlFault, usesSrv } from "../upstream/upstream_url.ts";
import { ADMIN_STATES, BREAKER_STATES, UPSTREAM_STATES } from "../upstream/condition/upstream_states.ts";
import type { ListedPool, ListedUpstream } from "./snapshot_maker.ts";
import type { Flow, PoolSnapshot, SiteSnapshot, Snapshot, UpstreamChange } from "./snapshot.ts";

/** The schemas that have a name in the document. */
export const API_SCHEMAS = z.registry<{ id: string }>();

const count = () => z.int().min(0);
const amount = () => z.number().min(0);
const quantile = () => amount().nullable();

const flow = {
  requestRate: amount(),
  errorRate: amount(),
  inFlight: z.number(),
  p50Ms: quantile(),
  p95Ms: quantile(),
  p99Ms: quantile(),
};
z.strictObject(flow) satisfies z.ZodType<Flow>;

/** A problem of a config. */
export const problemSchema = z.strictObject({
  severity: z.enum(["error", "warning"]),
  file: z.string(),
  line: count(),
  column: count(),
  length: count(),
  sourceLine: z.string(),
  path: z.string(),
  message: z.string(),
  expected: z.string().optional(),
  suggestion: z.string().optional(),
}).register(API_SCHEMAS, { id: "ConfigProblem" });

const routeSchema = z.strictObject({
  ...flow,
  path: z.string(),
  kind: z.enum(["prefix", "exact", "pattern"]),
  poolId: z.string().nullable(),
  websocket: z.boolean(),
}).register(API_SCHEMAS, { id: "Route" });

/** A site. */
export const siteSchema = z.strictObject({
  ...flow,
  name: z.string(),
  hosts: z.array(z.string()),
  addresses: z.array(z.string()),
  routes: z.array(routeSchema),
  files: z.boolean(),
}).register(API_SCHEMAS, { id: "Site" }) satisfies z.ZodType<SiteSnapshot>;

const weight = () => z.int().min(1).max(65_535);

const upstream = {
  ...flow,
  id: z.string().regex(/^[A-Za-z0-9._~-]+$/),
  url: z.string(),
  state: z.enum(UPSTREAM_STATES),
  weight: weight(),
  configWeight: weight(),
  maxConnections: count(),
  idleConnections: count(),
  backup: z.boolean(),
  lastFailure: z.string().nullable(),
  health: z.enum(["healthy", "unhealthy", "unknown"]),
  ejectedForMs: amount().nullable(),
  breaker: z.enum(BREAKER_STATES),
  breakerRetryMs: amount().nullable(),
  slowStartMs: amount().nullable(),
  source: z.enum(["config", "discovery", "api"]),
};

/** An upstream. */
export const upstreamSchema = z.strictObject(upstream)
  .register(API_SCHEMAS, { id: "Upstream" }) satisfies z.ZodType<ListedUpstream>;

/** A pool. */
export const poolSchema = z.strictObject({
  ...flow,
  id: z.string(),
  name: z.string(),
  site: z.string(),
  policy: z.string(),
  waiting: z.number(),
  triesAnyway: z.boolean(),
  probed: z.boolean(),
  available: count(),
  upstreams: z.array(upstreamSchema),
  removed: z.array(z.string()),
}).register(API_SCHEMAS, { id: "Pool" }) satisfies z.ZodType<ListedPool & PoolSnapshot>;

const failureSchema = z.strictObject({
  number: count(),
  atMs: amount(),
  requestId: z.string(),
  site: z.string(),
  route: z.string(),
  method: z.string(),
  path: z.string(),
  status: count(),
  owner: z.enum(["client", "upstream", "proxy"]),
  cause: z.string(),
  upstream: z.string().nullable(),
  saved: z.boolean(),
  count: z.int().min(1),
  firstAtMs: amount(),
  manyPaths: z.boolean(),
}).register(API_SCHEMAS, { id: "Failure" });

const workerSchema = z.strictObject({
  index: count(),
  state: z.enum(["starting", "serving", "draining", "ended"]),
  requestRate: amount(),
  inFlight: count(),
  loopDelayMs: amount(),
  restarts: count(),
}).register(API_SCHEMAS, { id: "Worker" });

const portSchema = z.strictObject({
  address: z.string(),
  port: count(),
  listener: z.enum(LISTENER_KINDS),
  open: z.boolean(),
  closedForMs: amount().nullable(),
  failingForMs: amount().nullable(),
  reason: z.string().nullable(),
  reopenings: count(),
  connections: z.strictObject({
    ...{ accepted: count(), open: count(), acceptFailures: count() },
    closed: z.record(z.string(), count()),
    ...{ http2: count(), streams: count() },
    floods: z.record(z.string(), count()),
    handshakes: z.record(z.string(), count()),
  }).nullable(),
}).register(API_SCHEMAS, { id: "Port" });

const certificateSchema = z.strictObject({
  name: z.string(),
  origin: z.enum(["file", "acme", "internal"]),
  expiresInMs: z.number().nullable(),
  renewInMs: z.number().nullable(),
  ordering: z.boolean(),
  onDemand: z.boolean(),
  problem: z.strictObject({
    message: z.string(),
    atMs: amount(),
    failures: count(),
    nextTryInMs: amount(),
  }).nullable(),
}).register(API_SCHEMAS, { id: "Certificate" });

const series = z.array(z.number());
const gapped = z.array(z.number().nullable());
const track = { requestRate: series, errorRate: series };
const historySchema = z.strictObject({
  atMs: series,
  totals: z.strictObject({
    ...{ ...track, inFlight: series, memoryBytes: series },
    ...{ p50Ms: gapped, p95Ms: gapped, p99Ms: gapped },
  }),
  upstreams: z.record(z.string(), z.strictObject(track)),
}).register(API_SCHEMAS, { id: "History" });

/** The server at one moment. */
export const snapshotSchema = z.strictObject({
  version: z.string(),
  atMs: amount(),
  uptimeMs: amount(),
  metrics: z.boolean(),
  config: z.strictObject({
    generation: z.int().min(1),
    file: z.string().nullable(),
    loadedAtMs: amount(),
    refused: z.strictObject({ atMs: amount(), problems: z.array(problemSchema) }).nullable(),
  }),
  process: z.strictObject({
    memoryBytes: amount(),
    cpuCores: amount(),
    openFiles: count().nullable(),
    sockets: z.strictObject({ driver: z.enum(SOCKET_DRIVERS), reason: z.string() }),
    workers: z.array(workerSchema),
  }),
  ports: z.array(portSchema),
  certificates: z.array(certificateSchema),
  totals: z.strictObject({
    ...flow,
    requests: count(),
    errors: count(),
    statusRates: z.tuple([amount(), amount(), amount(), amount(), amount()]),
    receivedRate: amount(),
    sentRate: amount(),
    openSockets: z.number(),
  }),
  sites: z.array(siteSchema),
  pools: z.array(poolSchema),
  failures: z.array(failureSchema),
  history: historySchema.optional(),
}).register(API_SCHEMAS, { id: "Snapshot" }) satisfies z.ZodType<Snapshot>;

/** A change of an upstream. */
export const upstreamChangeSchema = z.strictObject({
  state: z.enum(ADMIN_STATES).optional(),
  weight: weight().optional(),
})
  .refine((change) => change.state !== undefined || change.weight !== undefined, {
    error: "a state, a weight, or both are expected",
  })
  .transform((change) => change as UpstreamChange)
  .register(API_SCHEMAS, { id: "UpstreamChange" });

// Names that stand for many servers (SRV, `resolve`) are looked up for entries of the config only.
function isServerUrl(url: string): boolean {
  return !usesSrv(url) && upstreamUrlFault(url) === undefined;
}

/** An upstream to be added. */
export const newUpstreamSchema = z.strictObject({
  site: z.string(),
  pool: z.string(),
  url: z.string().max(2000).refine(isServerUrl, { error: "expected a URL with http://, https://, h2c:// or unix:/" }),
  weight: weight().default(1),
  maxConnections: z.int().min(0).max(1_000_000).default(0),
  backup: z.boolean().default(false),
}).register(API_SCHEMAS, { id: "NewUpstream" });

/** A refusal (RFC 9457). */
export const refusalSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  error: z.string(),
}).register(API_SCHEMAS, { id: "Problem" });
