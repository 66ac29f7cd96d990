/**
 * Whether the process may open as many files and sockets as its config needs. Deno raises the soft limit to the hard one
 * when it starts, so what is read is what there is.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";

/** Connections of clients that any server should be able to hold. */
const LEAST_CONNECTIONS = 500;

/** What to do about a limit of open files that is too low for `config`; undefined when it is not, or not known. */
export function openFileShortfall(config: Config, limit: number | undefined = openFileLimit()): string | undefined {
  const connections = Math.max(LEAST_CONNECTIONS, boundedConnections(config));
  // One for the client, one for the upstream.
  const needed = 2 * connections;
  if (limit === undefined || limit >= needed) return undefined;
  return `this process may have at most ${limit} files and sockets open, fewer than the ${needed} that ` +
    `${connections} connections take. Raise the limit: \`ulimit -n\`, LimitNOFILE= of a systemd unit, ` +
    "or --ulimit nofile= of a container";
}

/** The soft limit of open files; undefined where the system does not tell. */
export function openFileLimit(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const found = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"));
    return found === null ? undefined : Number(found[1]);
  } catch {
    // Deno gives /proc to programs with all permissions alone.
    return undefined;
  }
}

/** How many exchanges at a time the upstreams may have, where the config bounds them. */
function boundedConnections({ sites }: Config): number {
  let sum = 0;
  for (const { proxy } of sites) {
    if (proxy?.enabled !== true) continue;
    for (const upstream of proxy.upstreams) sum += upstream.max_connections || proxy.connections.max_connections;
  }
  return sum;
}
