/**
 * The members of a pool: upstreams of the config, upstreams at addresses that were looked up, and those that an operator has
 * added or removed. Changes by an operator last as long as the generation.
 *
 * @module
 */

import type { UpstreamConfig } from "../../handlers/proxy/config/upstream_schema.ts";
import { usesTls } from "../../upstream/upstream_url.ts";
import type { Log } from "../../log/log.ts";
import type { Pool } from "../../upstream/pool.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { UpstreamFactory } from "./upstream_factory.ts";
import { logChanges } from "../../upstream/upstream_log.ts";

/** An upstream that an operator adds. */
export interface AddedMember {
  readonly url: string;
  /** Share of the load. */
  readonly weight: number;
  /** Most attempts at a time; 0 for the value of the config. */
  readonly maxConnections: number;
  /** Whether it serves only when no other can. */
  readonly backup: boolean;
}

/** A change of pool members by an operator; survives structured cloning. */
export type MemberChange =
  | { readonly kind: "add"; readonly site: string; readonly pool: string; readonly member: AddedMember }
  | {
    readonly kind: "remove";
    readonly site: string;
    readonly pool: string;
    readonly id: string;
    /** Whether the last member may be removed. */
    readonly force: boolean;
  };

/** The source of a member: the config, a name that was looked up, or the management API. */
export type MemberSource = "config" | "discovery" | "api";

/** What {@linkcode PoolMembers} needs. */
export interface PoolMembersContext {
  readonly pool: Pool;
  /** Upstreams of the config whose names are not looked up. */
  readonly fixed: readonly Upstream[];
  /** All entries of the config for the pool. */
  readonly entries: readonly UpstreamConfig[];
  /** Creates upstreams. */
  readonly factory: UpstreamFactory;
  /** Logs changes of state of the members. */
  readonly log: Log | undefined;
  /** Name of the site, for the log. */
  readonly site: string;
}

/** The members of one pool. Owned by its site. */
export class PoolMembers {
  readonly #context: PoolMembersContext;
  readonly #added = new Map<string, { upstream: Upstream; member: AddedMember }>();
  readonly #removed = new Set<string>();
  #found: readonly Upstream[] = [];

  /** @param context Its pool contains the fixed upstreams already. */
  constructor(context: PoolMembersContext) {
    this.#context = context;
  }

  /** Ids of the upstreams that were removed. */
  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  /** Changes by operators, to be applied in other workers. */
  get changes(): MemberChange[] {
    const { site, pool: { name: pool } } = this.#context;
    return [
      ...[...this.#added.values()].map(({ member }) => ({ kind: "add" as const, site, pool, member })),
      ...[...this.#removed].map((id) => ({ kind: "remove" as const, site, pool, id, force: true })),
    ];
  }

  /** The source of a member. */
  sourceOf(upstream: Upstream): MemberSource {
    if (this.#added.has(upstream.id)) return "api";
    return this.#context.fixed.includes(upstream) ? "config" : "discovery";
  }

  /** Replaces the upstreams that were found by look-ups. */
  find(found: readonly Upstream[]): void {
    this.#found = found;
    this.#update();
  }

  /** Applies a change. A change that was applied before has no effect. */
  change(change: MemberChange): void {
    if (change.kind === "add") this.#add(change.member);
    else this.#remove(change.id, change.force);
  }

  #add(member: AddedMember): void {
    const { factory, entries, pool, log, site } = this.#context;
    if ([...this.#added.values()].some(({ upstream }) => upstream.url === member.url)) return;
    // An added upstream has the settings of the first one of the pool that has any.
    const tls = usesTls(member.url) ? entries.find((entry) => entry.tls !== undefined)?.tls : undefined;
    const { proxy_protocol } = entries.find((entry) => entry.proxy_protocol !== undefined) ?? {};
    const { url, weight, maxConnections: max_connections, backup } = member;
    const upstream = factory.createAdded({
      name: pool.name,
      url,
      weight,
      max_connections,
      backup,
      tls,
      proxy_protocol,
    });
    logChanges(upstream, log, { site, pool: pool.name });
    this.#added.set(upstream.id, { upstream, member });
    upstream.condition.startSlowly();
    this.#update();
  }

  #remove(id: string, force: boolean): void {
    const { pool } = this.#context;
    const upstream = pool.upstreams.find((candidate) => candidate.id === id);
    // The last member stays: two removals at the same time must not empty the pool.
    if (upstream !== undefined && pool.upstreams.length === 1 && !force) return;
    if (!this.#added.delete(id)) this.#removed.add(id);
    this.#update();
    upstream?.connections.close();
  }

  #update(): void {
    const added = [...this.#added.values()].map(({ upstream }) => upstream);
    const named = [...this.#context.fixed, ...this.#found].filter(({ id }) => !this.#removed.has(id));
    this.#context.pool.update([...named, ...added]);
  }
}
