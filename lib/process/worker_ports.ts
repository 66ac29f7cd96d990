/**
 * Which ports accept connections in which workers. For the supervisor.
 *
 * @module
 */

import type { ListenerKind } from "../listener/listener_kind.ts";
import { accepts, type PortStatus } from "../listener/port.ts";

/** Called when a port accepts no connections in a worker, and when it does in all workers again. */
export type PortChange = (now: PortStatus, before: PortStatus) => void;

/** The ports of all workers. Owned by the supervisor. */
export class WorkerPorts {
  readonly #listener: ListenerKind;
  readonly #onChange: PortChange;
  /** By the key of the listener, then by worker: ports that failed, and those that have recovered. */
  readonly #known = new Map<string, Map<number, PortStatus>>();

  /**
   * @param listener Which listener serves the ports.
   * @param onChange Called once for each change of a port, no matter in how many workers.
   */
  constructor(listener: ListenerKind, onChange: PortChange) {
    this.#listener = listener;
    this.#onChange = onChange;
  }

  /** Records that a port of a worker accepts no connections, or that it does again. */
  change(worker: number, key: string, status: PortStatus): void {
    this.#changing(key, status, (workers) => workers.set(worker, status));
  }

  /** Removes the ports of a worker that has ended. */
  forget(worker: number): void {
    for (const [key, workers] of this.#known) {
      const status = workers.get(worker);
      if (status === undefined) continue;
      this.#changing(key, status, () => workers.delete(worker));
    }
  }

  /** Removes all ports but these. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
  }

  /** The status of a port over all workers: closed, or not accepting, if it is so in one of them. */
  status(key: string, { hostname: address, port }: Deno.NetAddr): PortStatus {
    const workers = [...this.#known.get(key)?.values() ?? []];
    const closed = earliest(workers, ({ closedAtMs }) => closedAtMs);
    const failing = earliest(workers, ({ failingAtMs }) => failingAtMs);
    const reopenings = workers.reduce((sum, status) => sum + status.reopenings, 0);
    return {
      ...{ address, port, listener: this.#listener, reopenings, open: closed === undefined },
      ...{ closedAtMs: closed?.closedAtMs ?? null, failingAtMs: failing?.failingAtMs ?? null },
      reason: (closed ?? failing)?.reason ?? null,
    };
  }

  #changing(key: string, { address: hostname, port }: PortStatus, change: (workers: Map<number, PortStatus>) => void) {
    const at = { transport: "tcp", hostname, port } as const;
    const before = this.status(key, at);
    const workers = this.#known.get(key) ?? new Map<number, PortStatus>();
    this.#known.set(key, workers);
    change(workers);
    const now = this.status(key, at);
    if (accepts(now) !== accepts(before)) this.#onChange(now, before);
  }
}

function earliest(workers: readonly PortStatus[], atMs: (status: PortStatus) => number | null): PortStatus | undefined {
  return workers.filter((status) => atMs(status) !== null).sort((a, b) => (atMs(a) ?? 0) - (atMs(b) ?? 0)).at(0);
}
