/**
 * HAProxy as a peer.
 *
 * @module
 */

import { type Peer, type Setting, versionOf } from "./peer.ts";

/** HAProxy. */
export const HAPROXY: Peer = {
  name: "HAProxy",
  key: "haproxy",
  abilities: ["proxy", "routes", "pool", "sockets"],
  version: () => versionOf("haproxy", "-v"),
  prepare: async (setting) => {
    const file = `${setting.folder}/haproxy.cfg`;
    const map = `${setting.folder}/routes.map`;
    await Deno.writeTextFile(map, setting.routes.map((path) => `${path} b\n`).join(""));
    await Deno.writeTextFile(file, haproxyConfig(setting, map));
    return { command: "haproxy", args: ["-f", file, "-db"] };
  },
};

function haproxyConfig({ port, upstreams, routes, workers }: Setting, map: string): string {
  const servers = upstreams.map((upstream, n) => `  server s${n} ${upstream}`).join("\n");
  // It asks for two descriptors a connection; the limit of ten thousand idle ones may allow one only, which is enough.
  const choice = routes.length === 0 ? "default_backend b" : `use_backend %[path,map_beg(${map})]`;
  return `global
  nbthread ${workers}
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout tunnel 600s
  timeout http-keep-alive 600s
  option forwardfor
frontend f
  bind 127.0.0.1:${port} backlog 4096
  ${choice}
backend b
  balance roundrobin
  http-reuse always
${servers}
`;
}
