/**
 * A probe by the health protocol of gRPC (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): the call
 * `grpc.health.v1.Health/Check`, and what its response means. Its two messages have one field each.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import type { HealthCheck } from "./health_check.ts";

/** The method of the call, in messages. */
export const GRPC_CHECK = "grpc.health.v1.Health/Check";

/** The head of the call, as text. */
export function grpcCheckHead(endpoint: Endpoint, check: HealthCheck): string {
  const given = Object.entries(check.headers).flat();
  const own = [
    "host",
    endpoint.authority,
    "user-agent",
    "bws-probe",
    "content-type",
    "application/grpc",
    "te",
    "trailers",
  ];
  let head = `POST ${endpoint.basePath}/${GRPC_CHECK} HTTP/1.1\r\n`;
  for (let i = 0; i < own.length; i += 2) {
    if (headerValue(given, own[i]) === undefined) head += `${own[i]}: ${own[i + 1]}\r\n`;
  }
  for (let i = 0; i < given.length; i += 2) head += `${given[i]}: ${given[i + 1]}\r\n`;
  return head + "\r\n";
}

/** The message of the call: `HealthCheckRequest { string service = 1; }`, with its prefix of five bytes. */
export function grpcCheckMessage(service: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(service);
  const field = name.length === 0 ? [] : [0x0a, ...varint(name.length), ...name];
  return Uint8Array.from([0, 0, 0, field.length >>> 8, field.length & 0xff, ...field]);
}

/** What the response was. */
export interface GrpcResponse {
  /** Status of HTTP. */
  readonly status: number;
  /** Header lines. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** Trailer lines; undefined where there are none. */
  readonly trailers: readonly string[] | undefined;
}

/** Why the response is not that of a healthy service; undefined when it is. */
export function grpcFault({ status, headers, body, trailers = [] }: GrpcResponse, service: string): string | undefined {
  if (status !== 200) return `got status ${status}, expected 200`;
  const code = headerValue(trailers, "grpc-status") ?? headerValue(headers, "grpc-status");
  if (code === undefined) return "got no grpc-status, expected 0";
  if (code !== "0") {
    const message = headerValue(trailers, "grpc-message") ?? headerValue(headers, "grpc-message") ?? "";
    return `got grpc-status ${code}${message === "" ? "" : ` (${decoded(message).slice(0, 200)})`}, expected 0`;
  }
  const serving = servingStatus(body);
  if (serving === SERVING) return undefined;
  const named = service === "" ? "the server" : `service "${service}"`;
  return `says that ${named} is ${NAMES[serving] ?? `in state ${serving}`}, expected SERVING`;
}

const SERVING = 1;
const NAMES: readonly string[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/** No message, or one that is compressed or not understood. */
const UNREADABLE = -1;

/** `HealthCheckResponse { ServingStatus status = 1; }`. A message without the field has its default, UNKNOWN. */
function servingStatus(body: Uint8Array): number {
  if (body.length < 5 || body[0] !== 0) return UNREADABLE;
  const length = body[1] * 2 ** 24 + (body[2] << 16) + (body[3] << 8) + body[4];
  if (body.length !== 5 + length) return UNREADABLE;
  if (length === 0) return 0;
  return length === 2 && body[5] === 0x08 && body[6] < 0x80 ? body[6] : UNREADABLE;
}

// It is percent-encoded. A proxy of somebody else may have made another one of it.
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(value >>> 7)];
}
