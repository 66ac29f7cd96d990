/**
 * Which ports are closed in which workers. For the supervisor.
 *
 * @module
 */

import type { PortStatus } from "../listener/runtime/serving_port.ts";

/** Called when a port is closed in a worker, and when it is open in all workers again. */
export type PortChange = (now: PortStatus, before: PortStatus) => void;

/** The ports of all workers. Owned by the supervisor. */
export class WorkerPorts {
  readonly #onChange: PortChange;
  /** By the key of the listener, then by worker: closed ports, and open ones that were opened again. */
  readonly #known = new Map<string, Map<number, PortStatus>>();

  /** @param onChange Called once for each change of a port, no matter in how many workers. */
  constructor(onChange: PortChange) {
    this.#onChange = onChange;
  }

  /** Records that the runtime has closed a port of a worker, or that it is open again. */
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

  /** The status of a port over all workers: closed if it is closed in one of them. */
  status(key: string, { hostname: address, port }: Deno.NetAddr): PortStatus {
    const workers = [...this.#known.get(key)?.values() ?? []];
    const closed = workers.filter(({ open }) => !open).sort((a, b) => (a.closedAtMs ?? 0) - (b.closedAtMs ?? 0));
    const reopenings = workers.reduce((sum, status) => sum + status.reopenings, 0);
    const first = closed.at(0);
    return {
      ...{ address, port, reopenings, open: first === undefined },
      ...{ closedAtMs: first?.closedAtMs ?? null, reason: first?.reason ?? null },
    };
  }

  #changing(key: string, { address: hostname, port }: PortStatus, change: (workers: Map<number, PortStatus>) => void) {
    const at = { transport: "tcp", hostname, port } as const;
    const before = this.status(key, at);
    const workers = this.#known.get(key) ?? new Map<number, PortStatus>();
    this.#known.set(key, workers);
    change(workers);
    const now = this.status(key, at);
    if (now.open !== before.open) this.#onChange(now, before);
  }
}
