/**
 * What outlives a generation: the fields that hold the state of upstreams, open WebSockets, the prober, the clock.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Log } from "../log/log.ts";
import { localMetricFields, type MetricFields, type TakeMetricFields } from "../metrics/metric_fields.ts";
import { CoarseClock } from "../state/coarse_clock.ts";
import { LocalState, type SharedState } from "../state/shared_state.ts";
import { ONLY_WORKER, type WorkerPlace } from "../state/worker_place.ts";
import { ReadAhead } from "../handlers/proxy/read_ahead.ts";
import { DialLimit } from "../upstream/connection/dial_queue.ts";
import { IdleConnections } from "../upstream/connection/idle_connections.ts";
import { Prober } from "../upstream/health/prober.ts";
import { SocketRegistry } from "../handlers/websocket/socket_registry.ts";
import type { Addresses } from "../upstream/discovery/addresses.ts";
import { DnsAddresses } from "../upstream/discovery/dns_addresses.ts";
import { MetricsRegistry } from "./metrics/metrics_registry.ts";

/** What a runtime is made of. */
export interface ProcessStateOptions {
  /** Where log lines go; without it there is no log. */
  readonly log?: Log;
  /**
   * Where state lives that workers share.
   *
   * @default {of this worker alone}
   */
  readonly sharedState?: SharedState;
  /**
   * Where metrics are counted.
   *
   * @default {of this worker alone}
   */
  readonly metricFields?: TakeMetricFields;
  /**
   * This worker among all.
   *
   * @default {the only one}
   */
  readonly worker?: WorkerPlace;
  /** Random text of this process, the same in all its workers. */
  readonly secret?: string;
  /**
   * Who tells the addresses of names.
   *
   * @default {looked up here}
   */
  readonly addresses?: Addresses;
  /**
   * Name servers for that.
   *
   * @default {the system's}
   */
  readonly nameServers?: readonly string[];
  /**
   * Whether upstreams are probed from here: by one worker, for all.
   *
   * @default {true}
   */
  readonly probes?: boolean;
}

/** Owned by the program; generations come and go in it. */
export class ProcessState {
  /** When the program started, in milliseconds since 1970. */
  readonly startedMs: number = Date.now();
  /** Where log lines go. */
  readonly log: Log | undefined;
  /** Where state lives. */
  readonly sharedState: SharedState;
  /** The clock that deadlines go by. */
  readonly clock = new CoarseClock();
  /** Bounds what is read ahead of uploads. */
  readonly readAhead = new ReadAhead();
  /** Bounds the connections that are being opened. */
  readonly dialLimit = new DialLimit();
  /** Idle connections to upstreams of all generations. */
  readonly idleConnections = new IdleConnections();
  /** Where metrics are counted. */
  readonly metricFields: TakeMetricFields;
  /** The metrics of all generations. */
  readonly metrics: MetricsRegistry;
  /** How many ports are closed that should be open: one count for each worker. */
  readonly closedPorts: MetricFields;
  /** Open WebSockets of all generations. */
  readonly sockets = new SocketRegistry();
  /** This worker among all. */
  readonly worker: WorkerPlace;
  /** Random text of this process, which nobody else learns. */
  readonly secret: string;
  /** Random text that tells this process from others in Via, the same in all its workers. */
  readonly mark: string;
  /** Whether it is about to stop: sites say that they are not ready. */
  stopping = false;
  /** Who tells the addresses of names. */
  readonly addresses: Addresses;
  /** Probes upstreams; undefined where another worker does. */
  readonly prober: Prober | undefined;

  /** Makes one for this worker. */
  constructor(options: ProcessStateOptions = {}) {
    this.log = options.log;
    this.sharedState = options.sharedState ?? new LocalState();
    this.metricFields = options.metricFields ?? localMetricFields();
    this.metrics = new MetricsRegistry(this.metricFields);
    this.closedPorts = this.metricFields(1, "closed ports");
    this.worker = options.worker ?? ONLY_WORKER;
    this.secret = options.secret ?? crypto.randomUUID() + crypto.randomUUID();
    this.mark = createHash("sha256").update(`via ${this.secret}`).digest("hex").slice(0, 16);
    this.addresses = options.addresses ?? new DnsAddresses(options.log, options.nameServers);
    if (options.probes !== false) this.prober = new Prober({ log: options.log ?? SILENT });
  }

  /** Ends what it runs by itself. */
  close(): void {
    this.prober?.stop();
    this.metrics.close();
  }
}

const SILENT: Pick<Log, "say"> = { say: () => {} };
