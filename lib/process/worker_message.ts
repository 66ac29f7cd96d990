/**
 * What a supervisor and its workers say to each other. All of it survives structured cloning.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { PortStatus } from "../listener/runtime/serving_port.ts";
import type { MemberChange } from "../generation/pool_members.ts";
import type { ToldSource } from "../generation/supervisor_addresses.ts";
import type { SharedStateTable } from "../state/shared_ledger.ts";
import type { TimeReading } from "../state/shared_time.ts";
import type { WorkerPlace } from "../state/worker_place.ts";

/** Everything that a generation needs. */
export interface GenerationMessage {
  /** What to build. */
  readonly config: Config;
  /** Where its state lives. */
  readonly table: SharedStateTable;
  /** Addresses of names. */
  readonly told: readonly ToldSource[];
  /** Ports that are known, by the key of their listener. */
  readonly ports: ReadonlyMap<string, number>;
  /** What operators have changed about who is in a pool. */
  readonly changes: readonly MemberChange[];
}

/** What a supervisor says. */
export type SupervisorMessage =
  /** The first: begin to serve. Answered with `ready` or `failed`. */
  | {
    readonly kind: "start";
    readonly generation: GenerationMessage;
    readonly place: WorkerPlace;
    readonly secret: string;
    readonly time: TimeReading;
  }
  /** Put another config in place. Answered with `ready` or `failed`. */
  | { readonly kind: "reload"; readonly generation: GenerationMessage }
  /** A name has other addresses now. */
  | { readonly kind: "addresses"; readonly told: ToldSource; readonly table: SharedStateTable }
  /** An upstream comes, or goes. */
  | { readonly kind: "members"; readonly change: MemberChange; readonly table: SharedStateTable }
  /** Weights have changed: policies are to look again. */
  | { readonly kind: "rebalance" }
  /** File handles have run out: connections that idle are to be closed, those of clients too where it says so. */
  | { readonly kind: "release"; readonly clients: boolean }
  /** The end is near: sites are to say that they are not ready. */
  | { readonly kind: "unready" }
  /** End. Answered with `stopped`. */
  | { readonly kind: "stop" };

/** What a worker says. */
export type WorkerMessage =
  /** It serves; the ports that it has, by the key of their listener. */
  | { readonly kind: "ready"; readonly addresses: ReadonlyMap<string, Deno.NetAddr> }
  /** It cannot do what it was told. */
  | { readonly kind: "failed"; readonly message: string; readonly listening: boolean }
  /** One of its ports closed unasked, or is open again. */
  | { readonly kind: "port"; readonly key: string; readonly status: PortStatus }
  /** File handles have run out; `again` when that has just happened before. */
  | { readonly kind: "handles"; readonly again: boolean }
  /** Lines for the log. */
  | { readonly kind: "log"; readonly bytes: Uint8Array }
  /** How many exchanges are under way and have ended, and whether its heap is nearly full, each second. */
  | {
    readonly kind: "status";
    readonly underWay: number;
    readonly ended: number;
    readonly sockets: number;
    readonly heapFull: boolean;
  }
  /** An exchange that failed. */
  | { readonly kind: "failure"; readonly failure: FailureReport }
  /** It has ended in order. */
  | { readonly kind: "stopped"; readonly cut: number };
