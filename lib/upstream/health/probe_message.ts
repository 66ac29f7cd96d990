/**
 * The request of a probe, its address, and the check of the response's status.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import { type StatusRange, within } from "../../http/status_range.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import { GRPC_CHECK } from "./grpc_check.ts";
import type { HealthCheck } from "./health_check.ts";

/** Where a probe connects. Its `authority`, which messages show, is the address that is dialled. */
export function probedEndpoint(endpoint: Endpoint, check: HealthCheck): Endpoint {
  // gRPC is spoken over HTTP/2 alone.
  const protocol = check.kind === "grpc" ? "h2" : endpoint.protocol;
  if (endpoint.kind === "unix") return { ...endpoint, protocol };
  const { hostname } = endpoint;
  const port = check.port ?? endpoint.port;
  return { ...endpoint, protocol, port, authority: `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}` };
}

/** The request's head as text, one character a byte, with its empty line. */
export function probeHead(endpoint: Endpoint, check: HealthCheck): string {
  const given = Object.entries(check.headers).flat();
  const own = ["host", endpoint.authority, "user-agent", "bws-probe", "accept", "*/*"];
  // Servers may wait for the body of a method that has one (RFC 9110, section 8.6).
  if (["POST", "PUT", "PATCH"].includes(check.method)) own.push("content-length", "0");
  let head = `${check.method} ${endpoint.basePath}${ascii(check.path)} HTTP/1.1\r\n`;
  for (let i = 0; i < own.length; i += 2) {
    if (headerValue(given, own[i]) === undefined) head += `${own[i]}: ${own[i + 1]}\r\n`;
  }
  for (let i = 0; i < given.length; i += 2) head += `${given[i]}: ${given[i + 1]}\r\n`;
  return head + "connection: close\r\n\r\n";
}

/** The request in messages. Without its query, which may contain a secret. */
export function probeName(endpoint: Endpoint, { kind, method, path, service }: HealthCheck): string {
  if (kind === "grpc") return service === undefined ? GRPC_CHECK : `${GRPC_CHECK} of ${service}`;
  return `${method} ${endpoint.basePath}${path.split("?", 1)[0]}`;
}

function ascii(path: string): string {
  return path.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

/** Why the status of a response is not healthy; undefined when it is. */
export function statusFault(status: number, { expect_status }: HealthCheck): string | undefined {
  const expected: readonly StatusRange[] = expect_status ?? ANY_SUCCESS;
  if (within(status, expected)) return undefined;
  return `got ${status}, expected ${expected.map(rangeText).join(" or ")}`;
}

const ANY_SUCCESS: readonly StatusRange[] = [[200, 399]];

function rangeText([from, to]: StatusRange): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}
