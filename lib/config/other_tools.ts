/**
 * What people write who know other servers, with what it is called here: nginx, HAProxy, Caddy, Traefik, and what comes to mind.
 * Data for messages alone; nothing of it is accepted.
 *
 * @module
 */

import type { KeyPath } from "./source_tree.ts";

const POOL = "[[sites.proxy.upstreams]], one for each server; those of one name are a pool";
const ROUTE = '[[sites.proxy.routes]] with path = "/api/" and upstream = "the name of a pool"';
const METHOD = 'method in [sites.proxy.load_balancing], such as method = "least_connections"';
const HEALTH = "[sites.proxy.health_check]";
const TLS = "a server in front of BWS that ends TLS, as BWS cannot yet";
const PASSWORDS =
  "a server in front of BWS that asks for passwords, as BWS cannot yet: the site would be open to everybody";
const ADDRESSES =
  "a firewall or a server in front of BWS, as BWS cannot yet tell clients apart: everybody would be let in";
const RATE = "a server in front of BWS that limits rates, as BWS cannot yet: nobody would be limited";
const REDIRECT = "a server in front of BWS, or an upstream, that redirects, as BWS cannot yet";
const COMPRESSION =
  "files compressed beforehand, such as app.js.gz beside app.js; responses of upstreams pass as they are";
const CACHE = "[sites.cache] for what browsers may keep; BWS itself keeps no responses yet";
const CORS = "Access-Control-Allow-Origin and its like in [sites.headers]";
const BODY = 'max_body_size = "10MB" in [server], [[sites]] or [[sites.proxy.routes]]';
const HOSTS = 'hostname = "example.com" in [[sites]], hostnames = [..] for several';
const FILES = 'static_dir = "www" in [[sites]]';
const LISTEN = 'port = 8080 in [[sites]], and listen = "127.0.0.1" for one address alone';
const PROBE_PATH = 'path = "/healthz"';
const TIMEOUTS = "connect, read, write and client in [sites.proxy.timeout]";
const REQUEST_FIELDS = "[sites.proxy.headers.request.set]";
const RESPONSE_FIELDS = "[sites.headers], or [sites.proxy.headers.response.set]";
const LOG = "level, format, output and access in [logging]";
const MANAGEMENT = "[management] enabled = true";
const RETRIES = "[sites.proxy.retries]";
const IDLE = "max_idle and idle_timeout in [sites.proxy.connections]";
const STICKY = 'method = "cookie" in [sites.proxy.load_balancing]';
const TRUST = 'trusted_proxies = ["10.0.0.0/8"] in [server]';
const PATTERN = "pattern = true in the route, with a path such as /users/:id";
const ENVIRONMENT = '"${NAME}" in any value: it stands for the environment variable';

/** What to write for a key, in words that fit after "expected"; of several texts, by the table in which the key stands. */
const KEYS: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  // Where things are listened to, and for whom
  server_name: HOSTS,
  servername: HOSTS,
  domain: HOSTS,
  domains: HOSTS,
  host: HOSTS,
  hosts: HOSTS,
  vhost: "[[sites]]",
  virtual_host: "[[sites]]",
  site: "[[sites]]",
  frontend: "[[sites]]",
  frontends: "[[sites]]",
  bind: LISTEN,
  address: LISTEN,
  addr: LISTEN,
  entrypoint: LISTEN,
  entrypoints: LISTEN,
  entry_points: LISTEN,
  listen: LISTEN,
  ports: "port = 8080; a site for each further port",
  http: { "": "[[sites]]", "*": LISTEN },
  https: TLS,
  http2: TLS,
  http3: TLS,
  // Files
  root: FILES,
  document_root: FILES,
  docroot: FILES,
  dir: FILES,
  public: FILES,
  static: FILES,
  file_server: FILES,
  alias: `${FILES}; a site has one folder`,
  index: 'index_files = ["index.html"] in [[sites]]',
  autoindex: "browse = true in [[sites]]",
  listing: "browse = true in [[sites]]",
  directory_listing: "browse = true in [[sites]]",
  default_server: "default = true in [[sites]]",
  spa: 'try_files = ["$path", "/index.html"] in [[sites]]',
  fallback: 'try_files = ["$path", "/index.html"] in [[sites]]',
  error_page: '[sites.error_pages] with 404 = "404.html"',
  errors: '[sites.error_pages] with 404 = "404.html"',
  expires: 'max_age = "1h" in [sites.cache]',
  cache_control: "control in [sites.cache]",
  // Routes
  location: ROUTE,
  locations: ROUTE,
  route: ROUTE,
  router: ROUTE,
  routers: ROUTE,
  rule: ROUTE,
  rules: ROUTE,
  handle: ROUTE,
  handle_path: `${ROUTE}, and strip_prefix = true`,
  use_backend: ROUTE,
  match: ROUTE,
  acl: ROUTE,
  prefix: 'path = "/api/": a route without exact and pattern is a prefix',
  path_prefix: 'path = "/api/": a route without exact and pattern is a prefix',
  paths: 'path = "/api/"; a route for each further path',
  regex: PATTERN,
  regexp: PATTERN,
  rewrite: 'rewrite_target = "/new/" in the route, or strip_prefix = true',
  replace_path: 'rewrite_target = "/new/" in the route',
  uri: {
    "sites.proxy.health_check": PROBE_PATH,
    "sites.proxy.upstreams": 'url = "http://127.0.0.1:3000"',
    "*": "path, strip_prefix and rewrite_target in the route",
  },
  stripprefix: "strip_prefix = true in the route",
  // Upstreams
  upstream: {
    "": POOL,
    sites: `${POOL}; and ${ROUTE}`,
    "sites.proxy": `${POOL}; upstream = "the name of a pool" is a key of [[sites.proxy.routes]]`,
    "*": 'upstream = "the name of a pool" in [[sites.proxy.routes]]',
  },
  upstreams: POOL,
  server: { "sites.proxy.timeout": "read", "sites.proxy.routes.timeout": "read", "*": POOL },
  servers: { "": `[server] for the process, or ${POOL}`, "*": POOL },
  service: POOL,
  services: POOL,
  backend: { "sites.proxy.routes": 'upstream = "the name of a pool"', "*": POOL },
  backends: { "sites.proxy.routes": 'upstream = "the name of a pool"', "*": POOL },
  default_backend: { "*": 'a route with path = "/" and upstream = "the name of a pool"' },
  target: { "sites.proxy.upstreams": 'url = "http://127.0.0.1:3000"', "*": `url in ${POOL}` },
  targets: POOL,
  destination: { "sites.proxy.upstreams": 'url = "http://127.0.0.1:3000"', "*": `url in ${POOL}` },
  node: POOL,
  nodes: POOL,
  members: POOL,
  pool: { "sites.proxy.routes": 'upstream = "the name of a pool"', "*": POOL },
  pools: POOL,
  to: { "sites.proxy.upstreams": 'url = "http://127.0.0.1:3000"', "*": `url in ${POOL}` },
  url: {
    "sites.proxy.health_check": PROBE_PATH,
    "sites.proxy.routes": `upstream = "the name of a pool", and url in ${POOL}`,
    "*": `url in ${POOL}`,
  },
  urls: POOL,
  proxy_pass: `upstream = "the name of a pool" in [[sites.proxy.routes]], and url in ${POOL}`,
  reverse_proxy: `[sites.proxy] with ${POOL}, and ${ROUTE}`,
  fastcgi_pass: "an upstream that speaks HTTP: BWS speaks no FastCGI",
  php_fastcgi: "an upstream that speaks HTTP: BWS speaks no FastCGI",
  uwsgi_pass: "an upstream that speaks HTTP: BWS speaks no uwsgi",
  grpc_pass: "an upstream that speaks HTTP/1.1",
  resolver: 'name_servers = ["10.0.0.2"] in [server]',
  resolvers: 'name_servers = ["10.0.0.2"] in [server]',
  maxconn: "max_connections in [[sites.proxy.upstreams]] or [sites.proxy.connections]",
  down: "no such upstream, or bws top to drain it",
  // Balancing and health
  balance: METHOD,
  balancer: METHOD,
  load_balancer: METHOD,
  loadbalancer: METHOD,
  lb_policy: METHOD,
  lb: METHOD,
  policy: METHOD,
  strategy: METHOD,
  algorithm: METHOD,
  least_conn: 'method = "least_connections" in [sites.proxy.load_balancing]',
  leastconn: 'method = "least_connections" in [sites.proxy.load_balancing]',
  round_robin: 'method = "round_robin" in [sites.proxy.load_balancing]',
  ip_hash: 'method = "ip_hash" in [sites.proxy.load_balancing]',
  hash: 'method = "uri_hash", "header_hash" or "ip_hash" in [sites.proxy.load_balancing]',
  sticky: STICKY,
  sticky_session: STICKY,
  sticky_sessions: STICKY,
  session_affinity: STICKY,
  affinity: STICKY,
  health: HEALTH,
  healthcheck: HEALTH,
  health_checks: HEALTH,
  check: HEALTH,
  option: `${HEALTH} for httpchk; each other option has a key of its own`,
  health_uri: `path in ${HEALTH}`,
  health_path: `path in ${HEALTH}`,
  health_interval: `interval in ${HEALTH}`,
  health_timeout: `timeout in ${HEALTH}`,
  health_port: `port in ${HEALTH}`,
  health_status: `expect_status in ${HEALTH}`,
  inter: `interval in ${HEALTH}`,
  rise: `healthy_after in ${HEALTH}`,
  fall: `unhealthy_after in ${HEALTH}`,
  max_fails: "max_fails in [sites.proxy.passive_health]",
  fail_timeout: "fail_window and eject_for in [sites.proxy.passive_health]",
  fail_duration: "eject_for in [sites.proxy.passive_health]",
  unhealthy_status: "fail_status in [sites.proxy.passive_health]",
  outlier_detection: "[sites.proxy.passive_health]",
  breaker: "[sites.proxy.circuit_breaker]",
  proxy_next_upstream: `retry_on in ${RETRIES}`,
  proxy_next_upstream_tries: `attempts in ${RETRIES}`,
  redispatch: `attempts in ${RETRIES}`,
  lb_retries: `attempts in ${RETRIES}`,
  lb_try_duration: `try_for in ${RETRIES}`,
  retry: RETRIES,
  // Times
  timeouts: TIMEOUTS,
  proxy_connect_timeout: "connect in [sites.proxy.timeout]",
  proxy_read_timeout: "read in [sites.proxy.timeout]",
  proxy_send_timeout: "write in [sites.proxy.timeout]",
  connect_timeout: "connect in [sites.proxy.timeout]",
  read_timeout: "read in [sites.proxy.timeout]",
  write_timeout: "write in [sites.proxy.timeout]",
  send_timeout: "client in [sites.proxy.timeout]",
  client_body_timeout: "client in [sites.proxy.timeout]",
  dial_timeout: "connect in [sites.proxy.timeout]",
  response_header_timeout: "read in [sites.proxy.timeout]",
  keepalive: IDLE,
  keep_alive: IDLE,
  keepalive_timeout: "idle_timeout in [sites.proxy.connections] for upstreams",
  // Header fields
  proxy_set_header: REQUEST_FIELDS,
  header_up: REQUEST_FIELDS,
  request_headers: REQUEST_FIELDS,
  custom_request_headers: REQUEST_FIELDS,
  add_header: RESPONSE_FIELDS,
  header_down: RESPONSE_FIELDS,
  response_headers: RESPONSE_FIELDS,
  custom_response_headers: RESPONSE_FIELDS,
  http_request: `${REQUEST_FIELDS} for set-header`,
  http_response: `${RESPONSE_FIELDS} for set-header`,
  proxy_hide_header: "remove in [sites.proxy.headers.response]",
  host_header: "preserve_host in [sites.proxy]",
  pass_host_header: "preserve_host in [sites.proxy]",
  passhostheader: "preserve_host in [sites.proxy]",
  change_origin: "preserve_host = false in [sites.proxy]",
  set_real_ip_from: TRUST,
  real_ip_header: TRUST,
  forwarded_headers: TRUST,
  trust_proxy: TRUST,
  proxy_protocol: "an HTTP proxy in front of BWS, which sends X-Forwarded-For: BWS does not read the PROXY protocol",
  websockets: "websocket = true in the route",
  ws: "websocket = true in the route",
  // What is not there yet: a setting that is taken and does nothing would be worse
  tls: { "sites.proxy": "tls in [[sites.proxy.upstreams]], for upstreams with https://", "*": TLS },
  ssl: { "sites.proxy": "tls in [[sites.proxy.upstreams]], for upstreams with https://", "*": TLS },
  ssl_certificate: TLS,
  ssl_certificate_key: TLS,
  certificate: TLS,
  cert: { "sites.ssl": "cert_file", "*": TLS },
  cert_file: TLS,
  key_file: TLS,
  acme: TLS,
  cert_resolver: TLS,
  hsts: "Strict-Transport-Security in [sites.headers]",
  proxy_ssl_verify: "insecure_skip_verify in [sites.proxy.upstreams.tls]",
  insecure_skip_verify: "insecure_skip_verify in [sites.proxy.upstreams.tls]",
  auth: PASSWORDS,
  basic_auth: PASSWORDS,
  basicauth: PASSWORDS,
  auth_basic: PASSWORDS,
  forward_auth: PASSWORDS,
  forwardauth: PASSWORDS,
  auth_request: PASSWORDS,
  jwt: PASSWORDS,
  access: PASSWORDS,
  users: PASSWORDS,
  password: PASSWORDS,
  htpasswd: PASSWORDS,
  allow: ADDRESSES,
  deny: ADDRESSES,
  allow_ips: ADDRESSES,
  deny_ips: ADDRESSES,
  ip_allow_list: ADDRESSES,
  whitelist: ADDRESSES,
  blacklist: ADDRESSES,
  ipallowlist: ADDRESSES,
  rate_limit: RATE,
  ratelimit: RATE,
  rate_limiting: RATE,
  limit_req: RATE,
  limit_conn: RATE,
  stick_table: RATE,
  cors: CORS,
  redirect: REDIRECT,
  redirects: REDIRECT,
  redir: REDIRECT,
  return: REDIRECT,
  respond: REDIRECT,
  redirect_scheme: REDIRECT,
  https_redirect: REDIRECT,
  gzip: COMPRESSION,
  gzip_types: COMPRESSION,
  gzip_static: "precompressed = true in [[sites]]",
  brotli: COMPRESSION,
  compress: COMPRESSION,
  encode: COMPRESSION,
  compression: COMPRESSION,
  proxy_cache: CACHE,
  cache: CACHE,
  middleware: "the table of the setting itself, such as [sites.headers]",
  middlewares: "the table of the setting itself, such as [sites.headers]",
  // The process
  worker_processes: 'workers = "auto" in [server]',
  threads: 'workers = "auto" in [server]',
  nbthread: 'workers = "auto" in [server]',
  client_max_body_size: BODY,
  body_limit: BODY,
  max_body: BODY,
  request_body: BODY,
  log: LOG,
  logs: LOG,
  log_level: "level in [logging]",
  log_format: "format in [logging]",
  access_log: "access and output in [logging]",
  accesslog: "access and output in [logging]",
  error_log: "output in [logging]",
  admin: MANAGEMENT,
  api: MANAGEMENT,
  dashboard: MANAGEMENT,
  stats: MANAGEMENT,
  stub_status: MANAGEMENT,
  metrics: `metrics in [management], and ${MANAGEMENT}`,
  prometheus: `metrics in [management], and ${MANAGEMENT}`,
  ping: "/api/health, which each site has",
  global: "[server]",
  defaults: "the keys in each site: there are no defaults of one's own",
  user: "a service manager such as systemd: BWS does not change its user",
  daemon: "a service manager such as systemd: BWS stays in the foreground",
  include: "all sites in one file",
  import: "all sites in one file",
  env: ENVIRONMENT,
  environment: ENVIRONMENT,
};

/** What to write for a key that is not known in the table at `path`; undefined where nothing is known of it. */
export function keyOfOtherTool(path: KeyPath, key: string): string | undefined {
  const name = key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll("-", "_").toLowerCase();
  if (!Object.hasOwn(KEYS, name)) return undefined;
  const found = KEYS[name];
  const table = path.filter((step) => typeof step === "string").join(".");
  const hint = typeof found === "string" ? found : Object.hasOwn(found, table) ? found[table] : found["*"];
  // A route has times of its own
  return /^sites\.proxy\.routes(?:\.timeout)?$/.test(table)
    ? hint?.replace("[sites.proxy.timeout]", "[sites.proxy.routes.timeout]")
    : hint;
}
