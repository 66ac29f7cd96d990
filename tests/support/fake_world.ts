/**
 * A server that is only imagined: sites, pools and upstreams whose figures move as those of a real one do. Its numbers
 * come from a seeded generator, so that each run shows the same.
 *
 * @module
 */

import type {
  AdminState,
  CertificateSnapshot,
  FailureSnapshot,
  Flow,
  FlowHistory,
  History,
  PoolSnapshot,
  PortSnapshot,
  RefusedReload,
  Snapshot,
  UpstreamChange,
  UpstreamSnapshot,
  UpstreamState,
} from "../../lib/admin/snapshot.ts";
import { takesRequests, type UpstreamFacts } from "../../lib/upstream/condition/upstream_states.ts";
import { seededRandom } from "../contract/seeded_random.ts";

/** How large it is. */
export interface FakeWorldOptions {
  /** Upstreams of each pool, by the name of the pool. */
  pools?: Readonly<Record<string, number>>;
  /** Requests a second of each upstream, about. */
  load?: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** An upstream of the world; tests write to it. */
export type FakeUpstream = Mutable<Omit<UpstreamFacts & Pick<UpstreamSnapshot, "health">, "state">> & {
  adminState: AdminState;
  onTrial: boolean;
  backup: boolean;
  readonly id: string;
  readonly url: string;
  readonly pool: string;
  weight: number;
  configWeight: number;
  lastFailure: string | null;
  /** Requests a second. */
  rate: number;
  /** Share of them that fails. */
  errorShare: number;
  latencyMs: number;
};

/** The imagined server. Owned by its test. */
export class FakeWorld {
  /** Certificates of the sites. */
  certificates: CertificateSnapshot[] = [];
  readonly upstreams: readonly FakeUpstream[];
  refused: RefusedReload | null = null;
  generation = 7;
  /** Host names of the second site. */
  docsHosts: readonly string[] = ["docs.example.com"];
  /** Version of the program. */
  version = "0.1.0";
  /** Further sites; the last of them fails. */
  moreSites = 0;
  /** How late the event loops are. */
  loopDelayMs: number | undefined;
  /** Cores that it uses. */
  cpuCores: number | undefined;
  /** Whether it keeps metrics. */
  metrics = true;
  readonly failures: FailureSnapshot[] = [];
  /** The port of its sites. */
  port: PortSnapshot = {
    ...{ address: "0.0.0.0", port: 8080, listener: "runtime", open: true, closedForMs: null },
    ...{ failingForMs: null, reason: null, reopenings: 0, connections: null },
  };
  readonly #pools: readonly string[];
  readonly #random = seededRandom(7);
  readonly #startedAtMs = Date.now() - 3 * 86_400_000 - 7_400_000;
  #requests = 48_211_532;
  #number = 0;

  /** Makes it; nothing is wrong in it yet. */
  constructor({ pools = { web: 6, api: 4, legacy: 2 }, load = 140 }: FakeWorldOptions = {}) {
    this.#pools = Object.keys(pools);
    this.upstreams = Object.entries(pools).flatMap(([pool, count], group) =>
      Array.from({ length: count }, (_, index) => this.#makeUpstream(pool, group, index, load))
    );
  }

  /** The upstream whose URL holds `part`, or whose id ends with it. */
  upstream(part: string): FakeUpstream {
    const found = this.upstreams.find(({ url, id }) => id.endsWith(`.${part}`) || url.includes(part));
    if (found === undefined) throw new Error(`No upstream ${part}`);
    return found;
  }

  /** Its probes fail from now on. */
  kill(upstream: FakeUpstream): void {
    upstream.health = "unhealthy";
    upstream.lastFailure = "connection refused";
  }

  /** It works again. */
  revive(upstream: FakeUpstream): void {
    Object.assign(upstream, { health: "healthy", breaker: "closed", breakerRetryMs: null, ejectedForMs: null });
    upstream.onTrial = false;
    upstream.lastFailure = null;
  }

  /** Does what an operator asked for; false where there is no such upstream. */
  change(id: string, { state, weight }: UpstreamChange): boolean {
    const upstream = this.upstreams.find((candidate) => candidate.id === id);
    if (upstream === undefined) return false;
    if (state !== undefined) upstream.adminState = state;
    if (weight !== undefined) upstream.weight = weight;
    return true;
  }

  /** Whether its pool has no other upstream that takes requests. */
  isLast(id: string): boolean {
    const pool = this.snapshot().pools.find(({ upstreams }) => upstreams.some((upstream) => upstream.id === id));
    const serving = pool?.upstreams.filter(({ state }) => takesRequests(state)) ?? [];
    return serving.length === 1 && serving[0].id === id;
  }

  /** Exchanges that failed in one way. */
  fail(upstream: FakeUpstream, cause: string, path: string, { status = 502, count = 1, manyPaths = false } = {}): void {
    const atMs = Date.now();
    this.failures.unshift({
      ...{
        number: ++this.#number,
        atMs,
        requestId: crypto.randomUUID(),
        site: "shop",
        route: "/",
        method: "GET",
        path,
      },
      ...{ status, owner: "upstream", cause, upstream: upstream.url, saved: status < 500 },
      ...{ count, firstAtMs: atMs - (count - 1) * 2500, manyPaths },
    });
    this.failures.length = Math.min(this.failures.length, 50);
  }

  /** Lets `ms` pass for all countdowns. */
  pass(ms: number): void {
    for (const upstream of this.upstreams) {
      for (const key of ["ejectedForMs", "breakerRetryMs", "slowStartMs"] as const) {
        const left = upstream[key];
        if (left !== null) upstream[key] = left > ms ? left - ms : null;
      }
      if (upstream.breaker === "open" && upstream.breakerRetryMs === null) upstream.breaker = "half_open";
    }
  }

  /** How it is now. */
  snapshot(history = false): Snapshot {
    const pools = this.#pools.map((name) => this.#pool(name));
    const all = sumOf(pools);
    const files: Flow = {
      requestRate: all.requestRate * 0.4,
      errorRate: 0,
      inFlight: 1,
      p50Ms: 0.6,
      p95Ms: 1.1,
      p99Ms: 3.2,
    };
    this.#requests += Math.round(all.requestRate);
    return {
      version: this.version,
      atMs: Date.now(),
      uptimeMs: Date.now() - this.#startedAtMs,
      metrics: this.metrics,
      config: {
        generation: this.generation,
        file: "/etc/bws/sites.toml",
        loadedAtMs: Date.now() - 5_520_000,
        refused: this.refused,
      },
      process: {
        memoryBytes: 118e6 + this.#random() * 4e6,
        cpuCores: this.cpuCores ?? 0.1 + all.requestRate / 30_000,
        openFiles: 412,
        sockets: { driver: "runtime", reason: "it was asked for" },
        workers: [0, 1].map((index) => ({
          ...{ index, state: "serving", requestRate: all.requestRate / 2, inFlight: Math.round(all.inFlight / 2) },
          ...{ loopDelayMs: this.loopDelayMs ?? 1 + this.#random() * 6, restarts: 0 },
        })),
      },
      totals: {
        ...all,
        requests: this.#requests,
        errors: 1204,
        statusRates: [0, all.requestRate * 0.95, all.requestRate * 0.03, all.requestRate * 0.02, all.errorRate],
        receivedRate: all.requestRate * 640,
        sentRate: all.requestRate * 9100,
        openSockets: 38,
      },
      sites: [
        {
          ...all,
          name: "shop",
          hosts: ["shop.example.com", "www.example.com"],
          addresses: ["https://0.0.0.0:443"],
          files: true,
          routes: [
            ...pools.map((pool) => ({
              ...{ ...sumOf([pool]), path: `/${pool.name}`, kind: "prefix" as const, poolId: pool.id },
              websocket: pool.name === "api",
            })),
            { ...files, path: "/:year/feed", kind: "pattern", poolId: null, websocket: false },
          ],
        },
        {
          ...files,
          name: "docs",
          hosts: this.docsHosts,
          addresses: ["https://[::]:443", "https://0.0.0.0:443"],
          files: true,
          routes: [],
        },
        ...Array.from({ length: this.moreSites }, (_, index) => ({
          ...{ ...files, errorRate: index === this.moreSites - 1 ? files.requestRate : 0, name: `site-${index}` },
          ...{ hosts: [`${index}.example.com`], addresses: [], files: true, routes: [] },
        })),
      ],
      pools,
      ports: [this.port],
      certificates: this.certificates,
      failures: this.failures,
      ...(history ? { history: this.#history() } : {}),
    };
  }

  #makeUpstream(pool: string, group: number, index: number, load: number): FakeUpstream {
    const weight = index % 4 === 0 ? 2 : 1;
    return {
      ...{ id: `shop.${pool}.${index}`, url: `http://10.${group}.${index >> 7}.${11 + (index & 127)}:8080`, pool },
      ...{ weight, configWeight: weight, lastFailure: null, rate: load * weight, errorShare: 0 },
      ...{ latencyMs: 8 + 14 * group + this.#random() * 6, adminState: "active", health: "healthy" },
      ...{ ejectedForMs: null, breaker: "closed", breakerRetryMs: null, slowStartMs: null },
      ...{ onTrial: false, backup: false },
    };
  }

  #pool(name: string): PoolSnapshot {
    const upstreams = this.upstreams.filter(({ pool }) => pool === name).map((upstream) => this.#upstream(upstream));
    const available = upstreams.filter(({ state }) => takesRequests(state)).length;
    const policy = name === "api" ? "least_connections" : "round_robin";
    return {
      id: `shop.${name}`,
      name,
      site: "shop",
      policy,
      waiting: 0,
      triesAnyway: false,
      probed: true,
      available,
      upstreams,
      ...this.#poolFlow(name, upstreams),
    };
  }

  // Clients ask on when nobody answers.
  #poolFlow(name: string, upstreams: readonly UpstreamSnapshot[]): Flow {
    const all = sumOf(upstreams);
    const wanted = this.upstreams.filter(({ pool }) => pool === name).reduce((sum, { rate }) => sum + rate, 0);
    if (upstreams.some(({ state }) => takesRequests(state))) return all;
    return { ...all, requestRate: wanted, errorRate: wanted, p50Ms: 0.4, p95Ms: 0.9, p99Ms: 1.2 };
  }

  #upstream(upstream: FakeUpstream): UpstreamSnapshot {
    const state = stateOf(upstream);
    const serves = state === "active" || state === "slow_start";
    const share = serves ? 1 : takesRequests(state) ? 0.02 : 0;
    const requestRate = upstream.rate * share * (0.85 + this.#random() * 0.3);
    const { latencyMs } = upstream;
    const jitter = 0.9 + this.#random() * 0.2;
    const { id, url, weight, configWeight, lastFailure, backup, health, ejectedForMs } = upstream;
    const { breaker, breakerRetryMs, slowStartMs } = upstream;
    return {
      ...{ id, url, state, weight, configWeight, lastFailure, backup, health, ejectedForMs },
      ...{ breaker, breakerRetryMs, slowStartMs, maxConnections: 256, idleConnections: 6 },
      requestRate: round(requestRate),
      errorRate: round(requestRate * upstream.errorShare),
      inFlight: Math.round(requestRate * latencyMs / 1000 * (0.8 + this.#random() * 0.8)),
      p50Ms: requestRate === 0 ? null : round(latencyMs * jitter),
      p95Ms: requestRate === 0 ? null : round(latencyMs * jitter * 2.1),
      p99Ms: requestRate === 0 ? null : round(latencyMs * jitter * (3 + this.#random())),
    };
  }

  #history(): History {
    const points = 90;
    const now = Date.now();
    const atMs = Array.from({ length: points }, (_, index) => now - (points - index) * 2000);
    const track = (rate: number): FlowHistory => ({
      requestRate: atMs.map((at) => round(rate * (0.85 + 0.1 * Math.sin(at / 40_000) + this.#random() * 0.12))),
      errorRate: atMs.map(() => this.#random() < 0.004 ? 1 : 0),
    });
    const rate = this.upstreams.reduce((sum, upstream) => sum + upstream.rate, 0);
    const wave = (base: number) => atMs.map(() => round(base * (0.9 + this.#random() * 0.25)));
    return {
      atMs,
      totals: {
        ...track(rate),
        ...{ p50Ms: wave(18), p95Ms: wave(40), p99Ms: wave(64), inFlight: wave(rate / 50), memoryBytes: wave(112e6) },
      },
      upstreams: Object.fromEntries(this.upstreams.map((upstream) => [upstream.id, track(upstream.rate)])),
    };
  }
}

function stateOf(upstream: FakeUpstream): UpstreamState {
  if (upstream.adminState !== "active") return upstream.adminState;
  if (upstream.health === "unhealthy") return "unhealthy";
  if (upstream.breaker === "open") return "breaker_open";
  if (upstream.ejectedForMs !== null) return "ejected";
  if (upstream.onTrial) return "on_trial";
  if (upstream.breaker === "half_open") return "breaker_half_open";
  return upstream.slowStartMs === null ? "active" : "slow_start";
}

function sumOf(flows: readonly Flow[]): Flow {
  const sum = (key: "requestRate" | "errorRate" | "inFlight") => round(flows.reduce((all, flow) => all + flow[key], 0));
  const all = flows.reduce((rates, flow) => rates + flow.requestRate, 0);
  const mean = (key: "p50Ms" | "p95Ms" | "p99Ms") =>
    all === 0 ? null : round(flows.reduce((sum, flow) => sum + (flow[key] ?? 0) * flow.requestRate / all, 0));
  return {
    ...{ requestRate: sum("requestRate"), errorRate: sum("errorRate"), inFlight: sum("inFlight") },
    ...{ p50Ms: mean("p50Ms"), p95Ms: mean("p95Ms"), p99Ms: mean("p99Ms") },
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
