/**
 * Upstreams of a pool whose addresses are looked up by name, again and again. One whose address stays keeps its
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

/** Whether the addresses of an upstream are looked up more than once. */
export function isDynamic(entry: UpstreamConfig): boolean {
  return usesSrv(entry.url) || (entry.resolve ?? entry.resolve_interval !== undefined);
}

/** What they belong to. */
export interface DynamicUpstreamsContext {
  /** The members of their pool. */
  readonly members: PoolMembers;
  /** Makes upstreams. */
  readonly factory: UpstreamFactory;
  /** Where they run. */
  readonly processState: ProcessState;
  /** For the log. */
  readonly where: { readonly site: string; readonly pool: string };
}

/** Keeps a pool's members up to date. Owned by the site. */
export class DynamicUpstreams {
  /** Called when the members have changed. */
  onChange: (() => void) | undefined;
  readonly #entries: readonly UpstreamConfig[];
  readonly #context: DynamicUpstreamsContext;
  readonly #members = new Map<UpstreamConfig, Map<string, Upstream>>();
  readonly #stops: (() => void)[] = [];
  #stopped = false;

  /** Looks nothing up before {@linkcode start}. */
  constructor(entries: readonly UpstreamConfig[], context: DynamicUpstreamsContext) {
    this.#entries = entries;
    this.#context = context;
  }

  /** Begins to look up. Resolves when each name was looked up once, or that took too long. */
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

  /** Ends the look-ups; the members stay. */
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
      // A change of weight or priority makes another upstream over the same fields.
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
