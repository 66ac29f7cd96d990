/**
 * Upstreams of a pool whose host names are looked up repeatedly. An upstream whose address is still found keeps its
 * connections, its state and its counts.
 *
 * @module
 */

import type { UpstreamConfig } from "../../handlers/proxy/config/upstream_schema.ts";
import { usesSrv } from "../../upstream/upstream_url.ts";
import { addressKey, type DiscoveredAddress } from "../../upstream/discovery/addresses.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { PoolMembers } from "./pool_members.ts";
import type { ProcessState } from "../process_state.ts";
import type { UpstreamFactory } from "./upstream_factory.ts";
import { logChanges } from "../../upstream/upstream_log.ts";

/** Whether the host name of an upstream is looked up repeatedly. */
export function isDynamic(entry: UpstreamConfig): boolean {
  return usesSrv(entry.url) || (entry.resolve ?? entry.resolve_interval !== undefined);
}

/** What {@linkcode DynamicUpstreams} needs. */
export interface DynamicUpstreamsContext {
  /** The members of the pool. */
  readonly members: PoolMembers;
  /** Creates upstreams. */
  readonly factory: UpstreamFactory;
  readonly processState: ProcessState;
  /** Site and pool, for the log. */
  readonly where: { readonly site: string; readonly pool: string };
}

/** Updates a pool's members when the addresses of their names change. Owned by the site. */
export class DynamicUpstreams {
  /** Called when the members have changed. */
  onChange: (() => void) | undefined;
  readonly #entries: readonly UpstreamConfig[];
  readonly #context: DynamicUpstreamsContext;
  readonly #members = new Map<UpstreamConfig, Map<string, Upstream>>();
  readonly #stops: (() => void)[] = [];
  #stopped = false;

  /** Starts no look-up before {@linkcode start}. */
  constructor(entries: readonly UpstreamConfig[], context: DynamicUpstreamsContext) {
    this.#entries = entries;
    this.#context = context;
  }

  /** Starts the look-ups. Resolves when each name was looked up once, or the look-up timed out. */
  async start(): Promise<void> {
    await Promise.all(this.#entries.map(async (entry) => {
      const watch = this.#context.processState.addresses.watch(
        { url: entry.url, intervalMs: entry.resolve_interval },
        (addresses) => this.#found(entry, addresses),
      );
      this.#stops.push(() => watch.stop());
      await watch.ready;
    }));
  }

  /** Stops the look-ups; the members stay. */
  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
  }

  #found(entry: UpstreamConfig, addresses: readonly DiscoveredAddress[]): void {
    if (this.#stopped) return;
    const { members, factory, processState, where } = this.#context;
    const before = this.#members.get(entry) ?? new Map<string, Upstream>();
    const after = new Map<string, Upstream>();
    const first = Math.min(...addresses.map((address) => address.priority));
    for (const address of addresses) {
      // After a change of weight or priority there is a new upstream with the same fields of shared state.
      const key = `${addressKey(address)} ${address.weight} ${address.priority === first}`;
      let upstream = before.get(key);
      if (upstream === undefined) {
        upstream = factory.createAt(entry, address, address.priority !== first);
        logChanges(upstream, processState.log, where);
        if (before.size > 0) upstream.condition.startSlowly();
      }
      after.set(key, upstream);
    }
    this.#members.set(entry, after);
    members.find([...this.#members.values()].flatMap((found) => [...found.values()]));
    for (const [key, upstream] of before) if (!after.has(key)) upstream.connections.close();
    this.onChange?.();
  }
}
