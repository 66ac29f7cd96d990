/**
 * The proxies that are measured, each with the config that makes it forward everything to one upstream, and WebSockets
 * below `/socket`.
 *
 * @module
 */

import { freePort, installed, listening, PROXY_CORE, startPinned } from "./pinned_process.ts";

/** A proxy. */
export interface Peer {
  /** What it is called. */
  name: string;
  /** Starts it on `port`, in front of `upstream`; gives the processes whose time counts. */
  start(port: number, upstream: number, folder: string): Promise<Deno.ChildProcess>;
}

/** BWS, and those of the others that are on this machine; `missing` is told of the rest. */
export async function installedPeers(missing: (name: string) => void): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const peer of PEERS) {
    if (peer.name === "BWS" || await installed(peer.name.toLowerCase())) peers.push(peer);
    else missing(peer.name);
  }
  return peers;
}

/** Runs a proxy in front of `upstream` for as long as `measure` takes. */
export async function withPeer<T>(
  peer: Peer,
  { upstream, folder }: { upstream: number; folder: string },
  measure: (port: number, pid: number) => Promise<T>,
): Promise<T> {
  const port = freePort();
  const process = await peer.start(port, upstream, folder);
  try {
    await listening(port);
    return await measure(port, process.pid);
  } finally {
    // nginx's worker goes with its master only when that is asked to stop.
    process.kill("SIGTERM");
    await process.status;
  }
}

const ROOT = new URL("../", import.meta.url).pathname;

const PEERS: readonly Peer[] = [
  {
    name: "BWS",
    start: async (port, upstream, folder) => {
      const file = `${folder}/bws.toml`;
      await Deno.writeTextFile(
        file,
        `[logging]\naccess = false\n[[sites]]\nport = ${port}\nlisten = "127.0.0.1"\n[[sites.proxy.upstreams]]\nname = "u"\n` +
          `url = "http://127.0.0.1:${upstream}"\n[[sites.proxy.routes]]\npath = "/"\nupstream = "u"\n` +
          `[[sites.proxy.routes]]\npath = "/socket"\nupstream = "u"\nwebsocket = true\n`,
      );
      return startPinned(PROXY_CORE, Deno.execPath(), ["run", "-A", `${ROOT}main.ts`, file]);
    },
  },
  {
    name: "nginx",
    start: async (port, upstream, folder) => {
      const file = `${folder}/nginx.conf`;
      await Deno.writeTextFile(
        file,
        `daemon off; worker_processes 1; error_log /dev/null; pid ${folder}/nginx.pid; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000;
upstream u { server 127.0.0.1:${upstream}; keepalive 128; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id; }
location /socket { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection "upgrade";
proxy_set_header Upgrade $http_upgrade; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Request-Id $request_id; } } }`,
      );
      return startPinned(PROXY_CORE, "nginx", ["-c", file]);
    },
  },
  {
    name: "HAProxy",
    start: async (port, upstream, folder) => {
      const file = `${folder}/haproxy.cfg`;
      await Deno.writeTextFile(
        file,
        `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option forwardfor
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:${upstream}
`,
      );
      return startPinned(PROXY_CORE, "haproxy", ["-f", file, "-db"]);
    },
  },
  {
    name: "Caddy",
    start: async (port, upstream, folder) => {
      const file = `${folder}/Caddyfile`;
      await Deno.writeTextFile(
        file,
        `{\nadmin off\nauto_https off\n}\nhttp://127.0.0.1:${port} {\nreverse_proxy 127.0.0.1:${upstream}\n}\n`,
      );
      return startPinned(PROXY_CORE, "caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
        GOMAXPROCS: "1",
        HOME: folder,
      });
    },
  },
];
