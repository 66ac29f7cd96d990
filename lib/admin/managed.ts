/**
 * What management needs of the running program, whether it serves in this thread or in several.
 *
 * @module
 */

import type { Problem } from "../config/problem.ts";
import type { Generation } from "../generation/generation.ts";
import type { PortStatus } from "../listener/runtime/serving_port.ts";
import type { MemberChange } from "../generation/pool_members.ts";
import type { RefusedReload } from "./snapshot.ts";

/** The running server; those of `server/` are such. */
export interface Managed {
  /** The generation of this thread; with workers it serves nothing, but sees their state. */
  readonly gateway: Generation;
  /** Where it listens, in the order of `gateway.listeners`. */
  readonly addresses: readonly Deno.NetAddr[];
  /** Whether those ports are open, in the same order. */
  readonly ports: readonly PortStatus[];
  /** Its workers by their place, undefined where one is being replaced; absent where this thread serves. */
  readonly workers?: readonly (ManagedWorker | undefined)[];
  /** How often each was started again, by its place. */
  readonly restarts?: readonly number[];
  /** Makes policies look at weights again. */
  rebalance(): void;
  /** Changes who is in a pool, until another config is put in place. */
  changeMembers(change: MemberChange): Promise<void>;
}

/** A worker. */
export interface ManagedWorker {
  /** Whether it serves. */
  readonly state: "starting" | "serving" | "draining" | "ended";
  /** Exchanges under way. */
  readonly underWay: number;
  /** Exchanges that have ended in its present generation. */
  readonly ended: number;
}

/** What came of a reload. */
export interface ManagedReload {
  /** Whether the new config is in place. */
  readonly accepted: boolean;
  /** What is wrong with it, or what it warns of. */
  readonly problems: readonly Problem[];
  /** Keys whose new values wait for a restart. */
  readonly needsRestart: readonly string[];
}

/** The config that runs, and how another one is put in its place; the reloader of `server/` is such. */
export interface ManagedConfig {
  /** Counts up with each config that was put in place, from 1. */
  readonly generation: number;
  /** Path of its file; null when there is none. */
  readonly file: string | null;
  /** When it was put in place, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** Reloads that were accepted. */
  readonly acceptedCount: number;
  /** Reloads that were refused. */
  readonly refusedCount: number;
  /** The last reload, when it was refused. */
  readonly refused: RefusedReload | undefined;
  /** Whether there is something to reload. */
  readonly reloadable: boolean;
  /** Reads the file again and puts it in place. Never rejects. */
  reload(reason: string): Promise<ManagedReload>;
}
