/**
 * What outlives a generation: the fields that hold the state of upstreams, open WebSockets, the prober, the clock.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type CertificateContents, CertificateFileReader } from "../listener/tls/certificate_files.ts";
import type { Log } from "../log/log.ts";
import { localMetricFields, type MetricFields, type TakeMetricFields } from "../metrics/metric_fields.ts";
import { CoarseClock } from "../state/coarse_clock.ts";
import { LocalState, type SharedState } from "../state/shared_state.ts";
import { ONLY_WORKER, type WorkerPlace } from "../state/worker_place.ts";
import { ReadAhead } from "../handlers/proxy/read_ahead.ts";
import { DialLimit } from "../upstream/connection/dial_queue.ts";
import { IdleRelease } from "../upstream/connection/idle_release.ts";
import { Prober } from "../upstream/health/prober.ts";
import { SocketRegistry } from "../handlers/websocket/socket_registry.ts";
import type { Addresses } from "../upstream/discovery/addresses.ts";
import { DnsAddresses } from "../upstream/discovery/dns_addresses.ts";
import { CertificateStores } from "../listener/acme/certificate_stores.ts";
import { CertificateService, type CertificateTimes } from "../listener/acme/certificate_service.ts";
import { CertificateTable } from "../listener/acme/certificate_table.ts";
import { MetricsRegistry } from "./metrics/metrics_registry.ts";

/** Options of {@linkcode ProcessState}. */
export interface ProcessStateOptions {
  /** Without it there is no log. */
  readonly log?: Log;
  /**
   * State that workers share.
   *
   * @default {state of this worker only}
   */
  readonly sharedState?: SharedState;
  /**
   * Allots the fields in which metrics are counted.
   *
   * @default {fields of this worker only}
   */
  readonly metricFields?: TakeMetricFields;
  /**
   * The number of this worker, and how many there are.
   *
   * @default {the only one}
   */
  readonly worker?: WorkerPlace;
  /** Random text of this process, the same in all its workers. */
  readonly secret?: string;
  /**
   * The source of addresses of host names.
   *
   * @default {DNS look-ups in this thread}
   */
  readonly addresses?: Addresses;
  /**
   * Name servers for these look-ups.
   *
   * @default {the system's}
   */
  readonly nameServers?: readonly string[];
  /**
   * Whether this thread probes upstreams. One thread does it for all workers.
   *
   * @default {true}
   */
  readonly probes?: boolean;
  /**
   * Whether this thread gets the certificates that are not in files, and at which times. One thread does it for all
   * workers, and none where no ports are opened.
   *
   * @default {false}
   */
  readonly issuesCertificates?: boolean | CertificateTimes;
  /**
   * The certificates in files, as another thread has read them.
   *
   * @default {read by this thread}
   */
  readonly certificateFiles?: CertificateContents;
}

/** Index of the count of ports that are closed but should be open. */
export const CLOSED = 0;
/** Index of the count of open ports on which no connection can be accepted. */
export const NOT_ACCEPTING = 1;

/** Owned by the program; outlives generations. */
export class ProcessState {
  /** When the program started, in milliseconds since 1970. */
  readonly startedMs: number = Date.now();
  readonly log: Log | undefined;
  readonly sharedState: SharedState;
  /** The clock of all deadlines. */
  readonly clock = new CoarseClock();
  /** Limits the memory of uploads that are read ahead. */
  readonly readAhead = new ReadAhead();
  /** Limits the connections that are being opened. */
  readonly dialLimit = new DialLimit();
  /** Idle connections to upstreams of all generations. */
  readonly idleConnections = new IdleRelease();
  /** Allots the fields in which metrics are counted. */
  readonly metricFields: TakeMetricFields;
  /** The metrics of all generations. */
  readonly metrics: MetricsRegistry;
  /** The number of ports that are {@linkcode CLOSED} or {@linkcode NOT_ACCEPTING}; for each worker. */
  readonly failedPorts: MetricFields;
  /** Open WebSockets of all generations. */
  readonly sockets = new SocketRegistry();
  /** The number of this worker, and how many there are. */
  readonly worker: WorkerPlace;
  /** Random text of this process, never disclosed. */
  readonly secret: string;
  /** Random text that identifies this process in Via; the same in all its workers. */
  readonly mark: string;
  /** Whether the server is about to stop; sites then report that they are not ready. */
  stopping = false;
  /** The source of addresses of host names. */
  readonly addresses: Addresses;
  /** Undefined where another thread probes upstreams. */
  readonly prober: Prober | undefined;
  /** The certificates that are not in files. */
  readonly certificates = new CertificateTable();
  /** Where those of this thread are kept. */
  readonly certificateStores = new CertificateStores();
  /** Undefined where another thread gets them. */
  readonly certificateService: CertificateService | undefined;
  /** The certificates of all generations that are in files. */
  readonly certificateFiles: CertificateFileReader;

  constructor(options: ProcessStateOptions = {}) {
    this.log = options.log;
    this.sharedState = options.sharedState ?? new LocalState();
    this.metricFields = options.metricFields ?? localMetricFields();
    this.certificateFiles = new CertificateFileReader(options.certificateFiles);
    this.metrics = new MetricsRegistry(this.metricFields);
    this.failedPorts = this.metricFields(2, "failed ports");
    this.worker = options.worker ?? ONLY_WORKER;
    this.secret = options.secret ?? crypto.randomUUID() + crypto.randomUUID();
    this.mark = createHash("sha256").update(`via ${this.secret}`).digest("hex").slice(0, 16);
    this.addresses = options.addresses ?? new DnsAddresses(options.log, options.nameServers);
    if (options.probes !== false) this.prober = new Prober({ log: options.log ?? SILENT });
    const { issuesCertificates = false, log = SILENT } = options;
    if (issuesCertificates !== false) {
      const times = issuesCertificates === true ? {} : issuesCertificates;
      this.certificateService = new CertificateService({
        ...{ table: this.certificates, stores: this.certificateStores, log },
        ...times,
      });
    }
  }

  /** Stops probes, orders of certificates and timers. */
  close(): void {
    this.prober?.stop();
    this.certificateService?.close();
    this.certificateStores.close();
    this.metrics.close();
  }
}

const SILENT: Pick<Log, "log"> = { log: () => {} };
