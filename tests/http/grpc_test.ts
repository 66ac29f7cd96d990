// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { grpcFailure, grpcStatusOf, isGrpc } from "../../lib/http/grpc.ts";
import type { RequestHead } from "../../lib/http/message.ts";

function headOf(method: string, type: string): RequestHead {
  return { method, headers: ["Content-Type", type] } as unknown as RequestHead;
}

Deno.test("isGrpc() knows calls of gRPC and gRPC-Web by method and Content-Type", () => {
  for (const type of ["application/grpc", "application/grpc+proto", "application/grpc-web-text"]) {
    assertEquals(isGrpc(headOf("POST", type)), true, type);
  }
  assertEquals(isGrpc(headOf("GET", "application/grpc")), false);
  assertEquals(isGrpc(headOf("POST", "application/json")), false);
});

Deno.test("grpcFailure() tells the status of gRPC in the header section of a response with status 200", () => {
  assertEquals(grpcFailure(headOf("POST", "application/grpc+proto"), 503, ["retry-after", "1"]), {
    status: 200,
    headers: [
      ...["retry-after", "1", "content-type", "application/grpc+proto"],
      ...["grpc-status", "14", "grpc-message", "Service Unavailable"],
    ],
    body: null,
  });
});

Deno.test("grpcStatusOf() follows gRPC's mapping of statuses of HTTP, and tells timeouts and sizes", () => {
  const statuses = [400, 401, 403, 404, 429, 502, 503, 504, 408, 413, 499, 500, 599, 418].map(grpcStatusOf);
  assertEquals(statuses, [13, 16, 7, 12, 14, 14, 14, 4, 4, 8, 1, 13, 13, 2]);
});
