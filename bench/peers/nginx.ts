/**
 * nginx as a peer.
 *
 * @module
 */

import { type Peer, type Setting, versionOf } from "./peer.ts";

/** nginx. */
export const NGINX: Peer = {
  name: "nginx",
  key: "nginx",
  abilities: ["proxy", "routes", "pool", "sockets", "files"],
  version: () => versionOf("nginx", "-v"),
  prepare: async (setting) => {
    const file = `${setting.folder}/nginx.conf`;
    await Deno.writeTextFile(file, nginxConfig(setting));
    return { command: "nginx", args: ["-c", file, "-p", setting.folder, "-e", "/dev/null"] };
  },
};

/**
 * Lines that every nginx here begins with: in the foreground, without logs, files of its own in `folder`, and as the user
 * that runs the benchmark, who alone may read the files to serve.
 */
export function nginxMain(folder: string, workers: number): string {
  return `daemon off; worker_processes ${workers}; error_log /dev/null; pid ${folder}/nginx.pid;
${Deno.uid() === 0 ? "user root root;" : ""} worker_rlimit_nofile 16384; events { worker_connections 16384; }`;
}

/** Where nginx may put bodies. */
export function nginxTemporary(folder: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(" ");
}

function nginxConfig({ port, folder, upstreams, routes, files, workers }: Setting): string {
  const common = `access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; ${nginxTemporary(folder)}
default_type application/octet-stream; types { text/plain txt; }`;
  const main = nginxMain(folder, workers);
  if (files !== undefined) {
    return `${main}
http { ${common} sendfile on; tcp_nopush on; server { listen 127.0.0.1:${port} backlog=4096; root ${files}; } }`;
  }
  const location = (path: string) => `location ${path} { proxy_pass http://u; }`;
  // Connections kept must be more than upstreams, or each request of a large pool dials.
  return `${main}
http { ${common} client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0;
proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id;
upstream u { ${upstreams.map((upstream) => `server ${upstream};`).join(" ")}
keepalive ${Math.max(128, 2 * upstreams.length)}; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${port} backlog=4096;
${(routes.length === 0 ? ["/"] : routes).map((path) => location(path)).join("\n")}
location /socket { proxy_pass http://u; proxy_set_header Connection "upgrade"; proxy_set_header Upgrade $http_upgrade;
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id; }
} }
`;
}
