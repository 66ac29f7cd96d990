/**
 * The settings that apply to a request, by their key in the config, as text.
 *
 * @module
 */

import type { Config, RouteConfig, SiteConfig } from "./config/config_types.ts";
import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import { proxyOfRoute } from "../handlers/proxy/route_settings.ts";
import { LISTENER_LIMITS, type ListenerLimits } from "../listener/own/limits_schema.ts";
import type { HealthCheckConfig } from "../upstream/config/health_check_schema.ts";

type Settings = Record<string, string>;

/** The settings of a route. */
export function routeSettings(config: Config, site: SiteConfig, proxy: ProxyConfig, route: RouteConfig): Settings {
  const own = proxyOfRoute(proxy, route);
  const { timeout, retries, connections, headers, health_check, passive_health, circuit_breaker, websocket } = own;
  const maxBytes = route.max_body_size ?? site.max_body_size ?? config.server.max_body_size;
  return {
    ...(route.strip_prefix ? { strip_prefix: "true" } : {}),
    ...(route.rewrite_target === undefined ? {} : { rewrite_target: route.rewrite_target }),
    preserve_host: String(own.preserve_host),
    websocket: !route.websocket
      ? "false: an upgrade is passed on as plain HTTP"
      : `true, ping each ${time(websocket.ping_interval)}, messages up to ${size(websocket.max_message)}`,
    max_body_size: maxBytes === undefined ? "no limit" : size(maxBytes),
    ...timeouts(timeout),
    "retries.attempts": `${retries.attempts}${
      retries.retry_on.length === 0 ? "" : `, also after ${retries.retry_on.map(statuses).join(", ")}`
    }`,
    ...(retries.try_for === 0 ? {} : { "retries.try_for": time(retries.try_for) }),
    "connections.max_connections": connections.max_connections === 0 ? "no limit" : String(connections.max_connections),
    "connections.queue_size": `${connections.queue_size}, for ${time(connections.queue_timeout)}`,
    health_check: health_check.enabled ? `${probeOf(health_check)} each ${time(health_check.interval)}` : "off",
    passive_health: passive_health.enabled ? `after ${passive_health.max_fails} failures in a row` : "off",
    circuit_breaker: circuit_breaker.enabled ? `at ${circuit_breaker.failure_ratio * 100} % failures` : "off",
    ...fields("headers.request", headers.request, headers),
    ...fields("headers.response", headers.response, headers),
    ...siteSettings({ ...site, error_pages: route.error_pages ?? site.error_pages }),
    ...(route.response_headers === undefined ? {} : { "route.response_headers": changes(route.response_headers) }),
  };
}

/** What the port limits, by BWS's own listener. */
export function limitSettings(limits: Partial<ListenerLimits> = {}): Settings {
  const { max_connections, max_connections_per_address, max_requests, ...all } = { ...LISTENER_LIMITS, ...limits };
  const counts = { max_connections, max_connections_per_address, max_requests };
  return {
    ...Object.fromEntries(
      (["header_timeout", "body_timeout", "write_timeout", "idle_timeout"] as const).map((key) => [
        `limits.${key}`,
        time(all[key]),
      ]),
    ),
    "limits.min_rate": rate(all.min_rate),
    "limits.max_header_size": size(all.max_header_size),
    ...Object.fromEntries(
      Object.entries(counts).flatMap(([key, count]) => count === 0 ? [] : [[`limits.${key}`, String(count)]]),
    ),
  };
}

function probeOf({ kind, method, path, service }: HealthCheckConfig): string {
  if (kind === "tcp") return "a connection";
  return kind === "grpc" ? `a gRPC health check${service === undefined ? "" : ` of ${service}`}` : `${method} ${path}`;
}

/** The settings of files. */
export function fileSettings(site: SiteConfig): Settings {
  return {
    index_files: site.index_files.join(", "),
    ...(site.try_files.length === 0 ? {} : { try_files: site.try_files.join(", ") }),
    browse: String(site.browse),
    precompressed: String(site.precompressed),
    ...(site.follow_symlinks ? { follow_symlinks: "true" } : {}),
    ...(site.dotfiles ? { dotfiles: "true" } : {}),
    ...siteSettings(site),
  };
}

/** The settings that apply to every response of the site. */
export function siteSettings(site: Pick<SiteConfig, "headers" | "error_pages" | "response_headers">): Settings {
  const [names, pages] = [Object.keys(site.headers), Object.keys(site.error_pages)];
  return {
    ...(names.length === 0 ? {} : { headers: `${names.join(", ")} on every response` }),
    ...(site.response_headers === undefined ? {} : { response_headers: changes(site.response_headers) }),
    ...(pages.length === 0 ? {} : { error_pages: pages.join(", ") }),
  };
}

function timeouts({ min_upload_rate, ...times }: ProxyConfig["timeout"]): Settings {
  return {
    ...Object.fromEntries(Object.entries(times).map(([key, ms]) => [`timeout.${key}`, time(ms)])),
    "timeout.min_upload_rate": rate(min_upload_rate),
  };
}

function rate(bytes: number): string {
  return bytes === 0 ? "no limit" : `${bytes} bytes a second`;
}

function fields(
  name: string,
  { set, add, remove }: ProxyConfig["headers"]["request"],
  both: ProxyConfig["headers"],
): Settings {
  const added = [...Object.keys(both.add), ...Object.keys(add)];
  const text = changesText(Object.keys(set), added, [...both.remove, ...remove]);
  return text === "" ? {} : { [name]: text };
}

function changesText(set: readonly string[], added: readonly string[], removed: readonly string[]): string {
  return [
    ...set.map((field) => `sets ${field}`),
    ...added.map((field) => `adds ${field}`),
    ...removed.map((field) => `removes ${field}`),
  ].join(", ");
}

function changes({ when, ...always }: NonNullable<SiteConfig["response_headers"]>): string {
  const textOf = ({ set, add, remove }: typeof always) => changesText(Object.keys(set), Object.keys(add), remove);
  const some = when.map(({ status, ...one }) => `${textOf(one)} with ${status.map(statuses).join(", ")}`);
  return [textOf(always), ...some].filter((text) => text !== "").join("; ");
}

function statuses([from, to]: readonly [number, number]): string {
  return from === to ? String(from) : `${from}-${to}`;
}

function time(ms: number): string {
  if (ms === 0) return "no limit";
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  let left = bytes;
  for (; left >= 1024 && left % 1024 === 0 && unit < units.length - 1; unit++) left /= 1024;
  return `${left} ${units[unit]}`;
}
