/**
 * Ids of upstreams in the management API: unique in the server, the same after a reload, and valid in a path.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Upstream } from "../upstream/upstream.ts";

const MOST_CHARS = 60;
const known = new WeakMap<Upstream, { place: string; id: string }>();

/** The `id` of an upstream: its address, for people, and a hash of its site, pool and name, which makes it unique. */
export function upstreamId(site: string, pool: string, upstream: Upstream): string {
  const place = JSON.stringify([site, pool, upstream.id]);
  const before = known.get(upstream);
  if (before?.place === place) return before.id;
  const mark = createHash("sha256").update(place).digest("hex").slice(0, 12);
  const where = upstream.url.replace(/^[a-z+]+:\/*/i, "");
  const readable = `${pool}.${where}`.replace(/[^A-Za-z0-9._~-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, MOST_CHARS);
  const id = `${readable}.${mark}`;
  known.set(upstream, { place, id });
  return id;
}

/** The `id` of a pool. */
export function poolId(site: string, pool: string): string {
  return `${site}/${pool}`;
}
