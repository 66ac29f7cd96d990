/**
 * The endpoints that change upstreams. Changes are in the memory of the running server: state and weight survive a reload,
 * additions and removals do not, and nothing survives a restart.
 *
 * @module
 */

import type { Pool } from "../upstream/pool.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { takesRequests } from "../upstream/condition/upstream_states.ts";
import { AdminRefusal, json, nothing } from "./admin_response.ts";
import { newUpstreamSchema, upstreamChangeSchema, upstreamSchema } from "./api_schemas.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Managed } from "./managed.ts";
import { checkedJson } from "./request_text.ts";
import type { LastUpstream } from "./snapshot.ts";
import type { SnapshotMaker } from "./snapshot_maker.ts";
import { upstreamId } from "./upstream_id.ts";

/** What {@linkcode upstreamEndpoints} needs. */
export interface UpstreamEndpointsContext {
  /** The running server. */
  readonly managed: Managed;
  /** Creates snapshots. */
  readonly maker: SnapshotMaker;
  /** Logs a change. */
  readonly log: (message: string, fields: Record<string, string | number>) => void;
}

/** The endpoints. */
export function upstreamEndpoints(context: UpstreamEndpointsContext): Endpoint[] {
  return [
    {
      ...{ method: "GET", path: "/api/upstreams/{id}", name: "upstream" },
      summary: "One upstream.",
      responses: { 200: { description: "The upstream.", schema: upstreamSchema } },
      handle: ({ id }) => json(listed(context, found(context, id).id)),
    },
    {
      ...{ method: "PATCH", path: "/api/upstreams/{id}", name: "changeUpstream" },
      summary: "Changes the state of an upstream, its weight, or both; in all workers, over reloads, until a restart.",
      force: FORCE,
      body: { type: "application/json", schema: upstreamChangeSchema },
      responses: { 200: { description: "The upstream as it is now.", schema: upstreamSchema } },
      handle: ({ id, text, force }) => json(change(context, id, { text, force })),
    },
    {
      ...{ method: "POST", path: "/api/upstreams", name: "addUpstream" },
      summary: "Adds an upstream to a pool, until another config is put in place or the program ends.",
      body: { type: "application/json", schema: newUpstreamSchema },
      responses: { 201: { description: "The upstream. Location has its path.", schema: upstreamSchema } },
      handle: async ({ text }) => {
        const upstream = await add(context, text);
        return json(upstream, { status: 201, headers: { location: `/api/upstreams/${upstream.id}` } });
      },
    },
    {
      ...{ method: "DELETE", path: "/api/upstreams/{id}", name: "removeUpstream" },
      summary: "Takes an upstream out of its pool, until another config is put in place or the program ends. " +
        "It finishes what it has.",
      force: FORCE,
      responses: { 204: { description: "It is out." } },
      handle: async ({ id, force }) => {
        await remove(context, id, force);
        return nothing();
      },
    },
  ];
}

interface FoundUpstream {
  readonly id: string;
  readonly site: string;
  readonly pool: Pool;
  readonly upstream: Upstream;
}

function found({ managed }: UpstreamEndpointsContext, id: string): FoundUpstream {
  for (const site of managed.generation.sites) {
    const { name } = site.config;
    for (const pool of site.pools.values()) {
      const upstream = pool.upstreams.find((candidate) => upstreamId(name, pool.name, candidate) === id);
      if (upstream !== undefined) return { id, site: name, pool, upstream };
    }
  }
  throw new AdminRefusal(404, `There is no upstream with the id ${JSON.stringify(id)}`);
}

function listed({ maker }: UpstreamEndpointsContext, id: string) {
  for (const { upstreams } of maker.pools()) {
    const upstream = upstreams.find((candidate) => candidate.id === id);
    if (upstream !== undefined) return upstream;
  }
  throw new AdminRefusal(404, `There is no upstream with the id ${JSON.stringify(id)} any more`);
}

function change(context: UpstreamEndpointsContext, id: string, { text, force }: { text: string; force: boolean }) {
  const { site, pool, upstream } = found(context, id);
  const { state, weight } = checkedJson(text, upstreamChangeSchema);
  const { managed, log } = context;
  if (state !== undefined && state !== "active" && !force && isLast(pool, upstream)) throw lastUpstream(pool);
  if (state !== undefined) upstream.condition.setAdminState(state);
  if (weight !== undefined) {
    upstream.setWeight(weight);
    managed.rebalance();
  }
  log("upstream changed", {
    ...{ site, pool: pool.name, upstream: upstream.url },
    ...(state === undefined ? {} : { state }),
    ...(weight === undefined ? {} : { weight }),
  });
  return listed(context, id);
}

async function add(context: UpstreamEndpointsContext, text: string) {
  const { managed, log } = context;
  const { site: siteName, pool: poolName, ...member } = checkedJson(text, newUpstreamSchema);
  const site = managed.generation.sites.find(({ config }) => config.name === siteName);
  if (site === undefined) throw new AdminRefusal(422, `There is no site ${JSON.stringify(siteName)}`);
  const pool = site.pools.get(poolName);
  if (pool === undefined) throw new AdminRefusal(422, `${siteName} has no pool ${JSON.stringify(poolName)}`);
  const members = () => managed.generation.sites.find(({ config }) => config.name === siteName)?.pools.get(poolName);
  if (pool.upstreams.some(({ url }) => url === member.url)) {
    throw new AdminRefusal(409, `The pool has ${member.url} already`);
  }
  await managed.changeMembers({ kind: "add", site: siteName, pool: poolName, member });
  // A reload may have activated another generation meanwhile.
  const upstream = members()?.upstreams.find(({ url }) => url === member.url);
  if (upstream === undefined) throw new AdminRefusal(409, "Another config was put in place meanwhile");
  // Its state may be that of an earlier upstream with the same URL.
  upstream.setWeight(0);
  upstream.condition.setAdminState("active");
  upstream.condition.startSlowly();
  log("upstream added", { site: siteName, pool: poolName, upstream: member.url, weight: member.weight });
  return listed(context, upstreamId(siteName, poolName, upstream));
}

async function remove(context: UpstreamEndpointsContext, id: string, force: boolean): Promise<void> {
  const { managed, log } = context;
  const { site, pool, upstream } = found(context, id);
  if (!force && (pool.upstreams.length === 1 || isLast(pool, upstream))) throw lastUpstream(pool);
  await managed.changeMembers({ kind: "remove", site, pool: pool.name, id: upstream.id, force });
  // Other removals may have been applied first, while this one waited for a reload.
  const left = managed.generation.sites.find(({ config }) => config.name === site)?.pools.get(pool.name)?.upstreams;
  if (left?.some((other) => other.id === upstream.id)) throw lastUpstream(pool);
  log("upstream removed", { site, pool: pool.name, upstream: upstream.url });
}

const LAST_UPSTREAM: LastUpstream = "urn:bws:last-upstream";
const FORCE = "Does it also where the pool is left without an upstream that takes requests, which is 409 otherwise.";

// An upstream on trial does not count: it may fail at once.
function isLast(pool: Pool, upstream: Upstream): boolean {
  const others = pool.upstreams.filter((other) => other !== upstream).map(({ state }) => state);
  return takesRequests(upstream.state) && !others.includes("active") && !others.includes("slow_start");
}

function lastUpstream({ name }: Pool): AdminRefusal {
  return new AdminRefusal(
    409,
    `It is the last upstream of pool ${name} that takes requests; with ?force=true it is taken out all the same`,
    { members: { type: LAST_UPSTREAM, title: "Last upstream of a pool" } },
  );
}
