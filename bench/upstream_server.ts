/**
 * The upstream that all peers stand in front of: nginx where it is installed, otherwise a program of ours. It answers
 * `/` with 12 bytes, `/body/64k` and `/body/1m` with as many, and what is posted to `/post` with 200 once the whole body
 * is there, at many addresses of loopback, so that it can stand for many upstreams.
 *
 * @module
 */

import { nginxMain, nginxTemporary } from "./peers/nginx.ts";
import { freePort, installed, listening, startPinned } from "./pinned_process.ts";

/** A running upstream; it ends with `stopAll()`. */
export interface UpstreamServer {
  port: number;
  /** What it is. */
  name: string;
}

/** As many as the largest pool has upstreams. */
const ADDRESSES = 1000;

/** What `/` answers. */
export const GREETING = "hello, world";

/** Starts the upstream; its files go to `folder`. */
export async function startUpstream(cores: string, folder: string): Promise<UpstreamServer> {
  const port = freePort();
  const nginx = await installed("nginx");
  if (nginx) {
    await Deno.mkdir(`${folder}/body`, { recursive: true });
    await Deno.writeFile(`${folder}/body/64k`, filler(65_536));
    await Deno.writeFile(`${folder}/body/1m`, filler(1_048_576));
    await Deno.writeTextFile(`${folder}/upstream.conf`, upstreamConfig(port, folder));
  }
  const errorFile = `${folder}/upstream.log`;
  const child = nginx
    ? startPinned(cores, "nginx", ["-c", `${folder}/upstream.conf`, "-p", folder, "-e", "/dev/null"], { errorFile })
    : startPinned(cores, Deno.execPath(), ["run", "-A", own("plain_upstream.ts"), String(port)], { errorFile });
  await listening(port, child);
  return { port, name: nginx ? "nginx" : "Deno.serve" };
}

/** Starts an upstream that sends WebSocket messages back. */
export async function startEcho(cores: string): Promise<UpstreamServer> {
  const port = freePort();
  const child = startPinned(cores, Deno.execPath(), ["run", "-A", own("socket_echo.ts"), String(port)]);
  await listening(port, child);
  return { port, name: "npm ws" };
}

/** The addresses that it listens on; the first is 127.0.0.1. */
export function upstreamAddress(n: number): string {
  return `127.0.${n >> 7}.${1 + (n & 127)}`;
}

/** As many letters. */
export function filler(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0x61);
}

function upstreamConfig(port: number, folder: string): string {
  const listens = Array.from({ length: ADDRESSES }, (_, n) => `listen ${upstreamAddress(n)}:${port} backlog=4096;`);
  // `return` would answer a POST before its body is there. `mirror` reads the body first, and what follows answers it for
  // next to nothing: an empty GIF cannot be posted to, and that error is a 200.
  return `${nginxMain(folder, 1)}
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; ${nginxTemporary(folder)}
sendfile on; tcp_nopush on; open_file_cache max=10; default_type application/octet-stream;
client_max_body_size 0; client_body_buffer_size 2m;
server { ${listens.join(" ")} root ${folder};
location / { default_type text/plain; return 200 "${GREETING}"; }
location /body/ { }
location /post { mirror /read; error_page 405 =200 @posted; empty_gif; }
location = /read { internal; return 204; }
location @posted { default_type text/plain; return 200 "${GREETING}"; } } }
`;
}

function own(file: string): string {
  return new URL(file, import.meta.url).pathname;
}
