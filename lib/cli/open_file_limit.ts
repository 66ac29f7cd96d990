/**
 * Whether the limit of open files is high enough for a config.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import { openFileLimit } from "../process/open_files.ts";

/** Client connections that any server should be able to hold. */
const LEAST_CONNECTIONS = 500;

/** Advice if the limit of open files is too low for `config`; undefined if it is high enough or unknown. */
export function openFileShortfall(config: Config, limit: number | undefined = openFileLimit()): string | undefined {
  const connections = Math.max(LEAST_CONNECTIONS, boundedConnections(config));
  // An exchange needs one socket for the client and one for the upstream.
  const needed = 2 * connections;
  if (limit === undefined || limit >= needed) return undefined;
  return `this process may have at most ${limit} files and sockets open, fewer than the ${needed} that ` +
    `${connections} connections take. Raise the limit: \`ulimit -n\`, LimitNOFILE= of a systemd unit, ` +
    "or --ulimit nofile= of a container";
}

/** Maximum number of concurrent exchanges with upstreams, where the config has a limit. */
function boundedConnections({ sites }: Config): number {
  let sum = 0;
  for (const { proxy } of sites) {
    if (proxy?.enabled !== true) continue;
    for (const upstream of proxy.upstreams) sum += upstream.max_connections || proxy.connections.max_connections;
  }
  return sum;
}
