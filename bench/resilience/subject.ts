/**
 * The proxies that are compared, each with the same rules as far as it has them: probes every second, two bad
 * ones or a good one to be believed; three failures in live traffic take an upstream out, for two seconds at a time; GETs are tried again elsewhere, POSTs are not; a second
 * to connect, two of silence.
 *
 * @module
 */

import { bwsArguments } from "../peers/bws.ts";
import { nginxMain, nginxTemporary } from "../peers/nginx.ts";
import type { Start } from "../peers/peer.ts";

/** What a proxy is to do. */
export interface SubjectSetting {
  /** Port of 127.0.0.1 that it listens on. */
  readonly port: number;
  /** Folder of its own. */
  readonly folder: string;
  /** Upstreams as `host:port`. */
  readonly upstreams: readonly string[];
}

/** Longest silence of an upstream that is waited for, in milliseconds; the same for all. */
export const READ_TIMEOUT_MS = 2000;
/** Longest dial; the same for all. */
export const CONNECT_TIMEOUT_MS = 1000;

interface Subject {
  /** Name of its config file. */
  readonly file: string;
  config(setting: SubjectSetting): string;
  start(path: string, folder: string): Start;
}

const BWS: Subject = {
  file: "bws.toml",
  config: ({ port, upstreams }) =>
    `[server]
shutdown_timeout = "1s"
[logging]
access = false
[[sites]]
port = ${port}
listen = "127.0.0.1"
${upstreams.map((address) => `[[sites.proxy.upstreams]]\nname = "u"\nurl = "http://${address}"`).join("\n")}
[[sites.proxy.routes]]
path = "/"
upstream = "u"
[sites.proxy.timeout]
connect = "${CONNECT_TIMEOUT_MS}ms"
read = "${READ_TIMEOUT_MS}ms"
[sites.proxy.health_check]
path = "/health"
interval = "1s"
timeout = "1s"
healthy_after = 1
unhealthy_after = 2
[sites.proxy.passive_health]
max_fails = 3
eject_for = "2s"
max_eject_for = "2s"
slow_after = "200ms"
[sites.proxy.retries]
attempts = 3
retry_on = [500, 502, 503, 504]
`,
  start: (path) => ({ command: Deno.execPath(), args: bwsArguments(path) }),
};

const NGINX: Subject = {
  file: "nginx.conf",
  config: ({ port, folder, upstreams }) =>
    `${nginxMain(folder, 1)}
http { access_log off; keepalive_requests 1000000000; ${nginxTemporary(folder)}
proxy_http_version 1.1; proxy_set_header Connection "";
proxy_connect_timeout ${CONNECT_TIMEOUT_MS}ms; proxy_read_timeout ${READ_TIMEOUT_MS}ms;
proxy_next_upstream error timeout http_500 http_502 http_503 http_504; proxy_next_upstream_tries 3;
upstream u { ${upstreams.map((address) => `server ${address} max_fails=3 fail_timeout=2s;`).join(" ")} keepalive 128; }
server { listen 127.0.0.1:${port} backlog=4096; location / { proxy_pass http://u; } } }
`,
  start: (path, folder) => ({ command: "nginx", args: ["-c", path, "-p", folder, "-e", "/dev/null"] }),
};

const HAPROXY: Subject = {
  file: "haproxy.cfg",
  config: ({ port, upstreams }) =>
    `global
  nbthread 1
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout connect ${CONNECT_TIMEOUT_MS}ms
  timeout client 600s
  timeout server ${READ_TIMEOUT_MS}ms
  timeout check 1s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response response-timeout 500 502 503 504
frontend f
  bind 127.0.0.1:${port} backlog 4096
  http-request disable-l7-retry if METH_POST
  default_backend b
backend b
  balance roundrobin
  http-reuse always
  option httpchk GET /health
  default-server check inter 1s fall 2 rise 1 observe layer7 error-limit 3 on-error mark-down
${upstreams.map((address, n) => `  server s${n} ${address}`).join("\n")}
`,
  start: (path) => ({ command: "haproxy", args: ["-f", path, "-db"] }),
};

const CADDY: Subject = {
  file: "Caddyfile",
  config: ({ port, upstreams }) =>
    `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${upstreams.join(" ")} {
    lb_policy round_robin
    lb_retries 2
    lb_retry_match method GET
    health_uri /health
    health_interval 1s
    health_timeout 1s
    fail_duration 2s
    max_fails 3
    unhealthy_status 5xx
    unhealthy_latency 200ms
    transport http {
      dial_timeout ${CONNECT_TIMEOUT_MS}ms
      response_header_timeout ${READ_TIMEOUT_MS}ms
    }
  }
}
`,
  start: (path, folder) => ({
    command: "caddy",
    args: ["run", "--config", path, "--adapter", "caddyfile"],
    env: { GOMAXPROCS: "1", HOME: folder },
  }),
};

/** All that are compared, by the keys of the other benchmarks. */
const SUBJECTS: Readonly<Record<string, Subject>> = { bws: BWS, nginx: NGINX, haproxy: HAPROXY, caddy: CADDY };

/** Keys of all that are compared. */
export const SUBJECT_KEYS: readonly string[] = Object.keys(SUBJECTS);

/** Writes the config of a proxy and gives its command. */
export async function prepareSubject(key: string, setting: SubjectSetting): Promise<Start> {
  const subject = SUBJECTS[key];
  const path = `${setting.folder}/${subject.file}`;
  await Deno.writeTextFile(path, subject.config(setting));
  return subject.start(path, setting.folder);
}
