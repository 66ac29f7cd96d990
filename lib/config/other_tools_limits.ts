/**
 * Keys with which other servers limit their clients, and BWS's own where they stand outside of their table, with what to write here.
 *
 * @module
 */

/** What to write for several of them. */
export const LIMITS = "[server.limits] with header_timeout, body_timeout, idle_timeout and write_timeout";

/** Where they stand, as the end of what is said. */
export const LIMIT_TABLES = " in [server.limits] or [sites.limits]";

const IDLE_OF_UPSTREAMS = "idle_timeout in [sites.proxy.connections]";
const CONNECTIONS_OF_UPSTREAMS = "max_connections in [[sites.proxy.upstreams]] or [sites.proxy.connections]";

/** As `KEYS` of `other_tools_keys.ts`, which has them. */
export const LIMIT_KEYS: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  // nginx
  client_header_timeout: limit("header_timeout"),
  client_body_timeout: limit("body_timeout"),
  send_timeout: limit("write_timeout"),
  keepalive_timeout: ofClients("idle_timeout", IDLE_OF_UPSTREAMS),
  keepalive_requests: limit("max_requests"),
  client_header_buffer_size: limit("max_header_size"),
  large_client_header_buffers: limit("max_header_size"),
  worker_connections: limit("max_connections"),
  limit_conn: `${limit("max_connections_per_address")}; max_in_flight in [sites.rate_limit] for requests`,
  limit_conn_zone: `${limit("max_connections_per_address")}; max_in_flight in [sites.rate_limit] for requests`,
  http2_max_concurrent_streams: limit("max_concurrent_streams"),
  // HAProxy
  maxconn: ofClients("max_connections", CONNECTIONS_OF_UPSTREAMS),
  timeout_client: limit("body_timeout"),
  timeout_http_request: limit("header_timeout"),
  timeout_http_keep_alive: limit("idle_timeout"),
  // Caddy, Traefik
  read_header: limit("header_timeout"),
  read_header_timeout: limit("header_timeout"),
  read_body: limit("body_timeout"),
  idle: ofClients("idle_timeout", IDLE_OF_UPSTREAMS),
  max_header_bytes: limit("max_header_size"),
  responding_timeouts: LIMITS,
  // BWS's own
  header_timeout: limit("header_timeout"),
  body_timeout: limit("body_timeout"),
  idle_timeout: ofClients("idle_timeout", IDLE_OF_UPSTREAMS),
  write_timeout: ofClients("write_timeout", "write in [sites.proxy.timeout]"),
  min_rate: ofClients("min_rate", "min_upload_rate in [sites.proxy.timeout]"),
  min_upload_rate: limit("min_rate"),
  max_header_size: limit("max_header_size"),
  max_header_lines: limit("max_header_lines"),
  max_connections: ofClients("max_connections", CONNECTIONS_OF_UPSTREAMS),
  max_connections_per_address: limit("max_connections_per_address"),
  max_requests: limit("max_requests"),
  max_concurrent_streams: limit("max_concurrent_streams"),
  handshake_timeout: limit("handshake_timeout"),
};

/** What to write for the limit `key`. */
export function limit(key: string): string {
  return `${key}${LIMIT_TABLES}`;
}

/** The limit `key` in tables of the process and of sites; the text `ofUpstreams` in those of a proxy. */
function ofClients(key: string, ofUpstreams: string): Readonly<Record<string, string>> {
  const said = limit(key);
  return { "": said, server: said, "server.limits": said, sites: said, "sites.limits": said, "*": ofUpstreams };
}
