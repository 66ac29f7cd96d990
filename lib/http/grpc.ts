/**
 * gRPC over HTTP (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): which requests are calls, and the response to
 * one that fails in the proxy. A client of gRPC reads the outcome of a call from `grpc-status`; statuses of HTTP mean little to it.
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";
import { headerValue } from "./header_lines.ts";
import type { HttpResponse, RequestHead } from "./message.ts";

/** Whether a request is a call of gRPC or gRPC-Web. */
export function isGrpc({ method, headers }: RequestHead): boolean {
  return method === "POST" && headerValue(headers, "content-type")?.startsWith("application/grpc") === true;
}

/**
 * The response to a call that fails: status 200, its fields and its trailer fields in one section ("Trailers-Only").
 *
 * @param status The status that another request would get.
 * @param lines Additional header lines, such as Retry-After.
 */
export function grpcFailure({ headers }: RequestHead, status: number, lines: readonly string[] = []): HttpResponse {
  const message = STATUS_TEXT[status] ?? (status < 500 ? "Request Failed" : "Server Error");
  return {
    status: 200,
    headers: [
      ...lines,
      "content-type",
      headerValue(headers, "content-type") ?? "application/grpc",
      "grpc-status",
      String(grpcStatusOf(status)),
      "grpc-message",
      message,
    ],
    body: null,
  };
}

/**
 * The status of gRPC for one of HTTP
 * (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md), which leaves timeouts and sizes to the server.
 */
export function grpcStatusOf(status: number): number {
  return STATUSES[status] ?? (status >= 500 ? INTERNAL : UNKNOWN);
}

const UNKNOWN = 2;
const INTERNAL = 13;

const STATUSES: Readonly<Record<number, number | undefined>> = {
  // INTERNAL
  400: INTERNAL,
  // UNAUTHENTICATED
  401: 16,
  // PERMISSION_DENIED
  403: 7,
  // UNIMPLEMENTED
  404: 12,
  405: 12,
  // DEADLINE_EXCEEDED
  408: 4,
  504: 4,
  // RESOURCE_EXHAUSTED
  413: 8,
  431: 8,
  // UNAVAILABLE
  429: 14,
  502: 14,
  503: 14,
  // CANCELLED
  499: 1,
};
