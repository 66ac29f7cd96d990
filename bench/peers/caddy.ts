/**
 * Caddy as a peer.
 *
 * @module
 */

import { type Peer, type Setting, versionOf } from "./peer.ts";

/** Caddy. */
export const CADDY: Peer = {
  name: "Caddy",
  key: "caddy",
  abilities: ["proxy", "routes", "pool", "sockets", "files"],
  version: () => versionOf("caddy", "version"),
  prepare: async (setting) => {
    const file = `${setting.folder}/Caddyfile`;
    await Deno.writeTextFile(file, caddyfile(setting));
    return {
      command: "caddy",
      args: ["run", "--config", file, "--adapter", "caddyfile"],
      env: { GOMAXPROCS: String(setting.workers), HOME: setting.folder },
    };
  },
};

function caddyfile({ port, upstreams, routes, files }: Setting): string {
  const site = (lines: string) => `{\nadmin off\nauto_https off\n}\nhttp://127.0.0.1:${port} {\n${lines}\n}\n`;
  if (files !== undefined) return site(`root * ${files}\nfile_server`);
  const proxy = `reverse_proxy ${upstreams.join(" ")} {\nlb_policy round_robin\n}`;
  if (routes.length === 0) return site(proxy);
  // A reverse_proxy for each route would keep connections for each. The routes choose; one proxy behind them forwards.
  const choices = routes.map((path, n) => `handle ${path}/* {\nvars route ${n}\n}`).join("\n");
  return site(`route {\n${choices}\nhandle /socket* {\nvars route socket\n}\n${proxy}\n}`);
}
