/**
 * BWS as a peer: the program of this checkout, its access log off.
 *
 * @module
 */

import type { Peer, Setting } from "./peer.ts";

const ROOT = new URL("../../", import.meta.url);

/** BWS as it is installed, and with each driver of sockets. */
export const BWS_PEERS: readonly Peer[] = [
  bwsPeer("bws", "BWS"),
  bwsPeer("bws-epoll", "BWS, epoll", ['sockets = "epoll"']),
  bwsPeer("bws-uring", "BWS, uring", ['sockets = "uring"']),
  bwsPeer("bws-runtime", "BWS, runtime", ['sockets = "runtime"']),
];

function bwsPeer(key: string, name: string, server: readonly string[] = []): Peer {
  return {
    ...{ key, name, abilities: ["proxy", "routes", "pool", "sockets", "files"] },
    version: async () => JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))).version,
    prepare: async (setting) => {
      const file = `${setting.folder}/bws.toml`;
      await Deno.writeTextFile(file, bwsConfig(setting, server));
      return { command: Deno.execPath(), args: bwsArguments(file) };
    },
  };
}

/** The arguments of `deno` that run a config; `flags` go to Deno. */
export function bwsArguments(file: string, flags: readonly string[] = []): string[] {
  return ["run", "-A", ...flags, new URL("main.ts", ROOT).pathname, "run", file];
}

/** The config for a setting; `server` are more lines of its table `[server]`. */
export function bwsConfig(
  { port, upstreams, routes, files, workers }: Setting,
  server: readonly string[] = [],
): string {
  const lines = ["[server]", ...server, `workers = ${workers}`, 'shutdown_timeout = "1s"'];
  lines.push("[logging]", "access = false");
  lines.push("[[sites]]", `port = ${port}`, 'listen = "127.0.0.1"');
  if (files !== undefined) return [...lines, `static_dir = ${JSON.stringify(files)}`, ""].join("\n");
  for (const upstream of upstreams) {
    lines.push("[[sites.proxy.upstreams]]", 'name = "u"', `url = "http://${upstream}"`);
  }
  for (const path of routes.length === 0 ? ["/"] : routes) {
    lines.push("[[sites.proxy.routes]]", `path = "${path}"`, 'upstream = "u"');
  }
  lines.push("[[sites.proxy.routes]]", 'path = "/socket"', 'upstream = "u"', "websocket = true", "");
  return lines.join("\n");
}
