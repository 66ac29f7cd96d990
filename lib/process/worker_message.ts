/**
 * The messages between a supervisor and its workers. All of them survive structured cloning.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import type { NamedCertificate } from "../listener/acme/certificate_table.ts";
import type { ServerCertificate } from "../listener/tls/certificate.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { CertificateContents } from "../listener/tls/certificate_files.ts";
import type { PortStatus } from "../listener/port.ts";
import type { MemberChange } from "../generation/pools/pool_members.ts";
import type { SourceAddresses } from "../upstream/discovery/supervisor_addresses.ts";
import type { OutputName } from "../log/log.ts";
import type { SocketRemains } from "../sockets/linux/remains.ts";
import type { SocketDriverName } from "../sockets/driver_name.ts";
import type { SharedStateTable } from "../state/shared_memory_state.ts";
import type { TimeSnapshot } from "../state/shared_time.ts";
import type { WorkerPlace } from "../state/worker_place.ts";

/** Everything that a worker needs to build a generation. */
export interface GenerationMessage {
  readonly config: Config;
  /** The shared memory of its state. */
  readonly table: SharedStateTable;
  /** Addresses of the host names of upstreams. */
  readonly found: readonly SourceAddresses[];
  /** Numbers of open ports, by the key of their listener. */
  readonly ports: ReadonlyMap<string, number>;
  /** The certificates that are not in files. */
  readonly certificates: readonly NamedCertificate[];
  /** Changes of pool members that operators have made. */
  readonly changes: readonly MemberChange[];
  /** The certificates in files. */
  readonly certificateFiles: CertificateContents;
}

/** A message of the supervisor. */
export type SupervisorMessage =
  /** The first: serve. The response is `ready` or `failed`. */
  | {
    readonly kind: "start";
    readonly generation: GenerationMessage;
    readonly place: WorkerPlace;
    readonly secret: string;
    readonly time: TimeSnapshot;
    /** The socket driver of the supervisor. */
    readonly driver: SocketDriverName;
  }
  /** Put another config in place. The response is `ready` or `failed`. */
  | { readonly kind: "reload"; readonly generation: GenerationMessage }
  /** The addresses of a host name have changed. */
  | { readonly kind: "addresses"; readonly found: SourceAddresses; readonly table: SharedStateTable }
  /** An upstream is added to a pool, or removed from it. */
  | { readonly kind: "members"; readonly change: MemberChange; readonly table: SharedStateTable }
  /** A certificate was issued or renewed, or is no longer used. */
  | { readonly kind: "certificate"; readonly changed: NamedCertificate }
  /** The certificate of a name that the worker asked for; undefined where there is none. */
  | { readonly kind: "obtained"; readonly name: string; readonly certificate: ServerCertificate | undefined }
  /** Certificates in files have changed. */
  | { readonly kind: "certificate_files"; readonly contents: CertificateContents }
  /** Weights have changed: policies read them again. */
  | { readonly kind: "rebalance" }
  /** File handles have run out: close idle connections to upstreams; `clients` says whether those of clients too. */
  | { readonly kind: "release"; readonly clients: boolean }
  /** The server is about to stop: readiness turns off. */
  | { readonly kind: "unready" }
  /** Stop. The response is `stopped`. */
  | { readonly kind: "stop" };

/** A message of a worker. */
export type WorkerMessage =
  /** The first, where the runtime does not close the sockets of a worker that ends. */
  | { readonly kind: "remains"; readonly remains: SocketRemains }
  /** The worker serves, on these ports by the key of their listener. */
  | { readonly kind: "ready"; readonly addresses: ReadonlyMap<string, Deno.NetAddr> }
  /** The worker could not start or reload. `listening` is true if a port could not be opened. */
  | { readonly kind: "failed"; readonly message: string; readonly listening: boolean }
  /** A port of the worker was closed by the runtime, or is open again. */
  | { readonly kind: "port"; readonly key: string; readonly status: PortStatus }
  /** File handles have run out; `again` is true from the fourth time in a row on. */
  | { readonly kind: "handles"; readonly again: boolean }
  /** Lines for the log, or for another of its outputs. */
  | { readonly kind: "log"; readonly bytes: Uint8Array; readonly name?: OutputName }
  /** Each second: how many exchanges are under way and have ended, and whether the worker's heap is nearly full. */
  | {
    readonly kind: "status";
    readonly underWay: number;
    readonly ended: number;
    readonly sockets: number;
    readonly heapFull: boolean;
  }
  /** A client asks for a name that has no certificate. The response is `obtained`. */
  | { readonly kind: "obtain"; readonly name: string }
  /** An exchange that failed. */
  | { readonly kind: "failure"; readonly failure: FailureReport }
  /** The worker has stopped; `cut` counts the exchanges that were cut. */
  | { readonly kind: "stopped"; readonly cut: number };
