/**
 * Keys that this version reads and checks but does not act on yet. Whoever sets them is told, rather than left to
 * believe that they work.
 *
 * @module
 */

import type { Config } from "../config/schema.ts";

/** A sentence for each such key that `config` sets. */
export function idleKeys(config: Config): string[] {
  const said: string[] = [];
  if (config.server.workers !== 1) said.push("server.workers: this version runs with one worker");
  if (config.management.enabled) said.push("management: this version has no management API");
  const probed = config.sites.filter((site) => site.proxy?.enabled && site.proxy.health_check.enabled);
  for (const site of probed) {
    said.push(`sites.proxy.health_check of "${site.name}": this version does not probe upstreams`);
  }
  return said;
}
