// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { grpcCheckMessage, grpcFault } from "../../../lib/upstream/health/grpc_check.ts";

Deno.test("grpcCheckMessage() is a HealthCheckRequest behind its prefix", () => {
  assertEquals(grpcCheckMessage(""), Uint8Array.of(0, 0, 0, 0, 0));
  assertEquals(grpcCheckMessage("ab"), Uint8Array.of(0, 0, 0, 0, 4, 0x0a, 2, 0x61, 0x62));
  const long = grpcCheckMessage("a".repeat(200));
  assertEquals([...long.subarray(0, 8)], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
});

Deno.test("grpcFault() accepts SERVING alone", () => {
  const ok = ["grpc-status", "0"];
  const fault = (bytes: number[], trailers: string[] | undefined = ok, status = 200, headers: string[] = []) =>
    grpcFault({ status, headers, body: Uint8Array.from(bytes), trailers }, "a");
  assertEquals(fault([0, 0, 0, 0, 2, 8, 1]), undefined);
  assertEquals(fault([0, 0, 0, 0, 2, 8, 2]), 'says that service "a" is NOT_SERVING, expected SERVING');
  assertEquals(fault([0, 0, 0, 0, 0]), 'says that service "a" is UNKNOWN, expected SERVING');
  assertEquals(fault([]), 'says that service "a" is in state -1, expected SERVING');
  assertEquals(fault([1, 0, 0, 0, 2, 8, 1]), 'says that service "a" is in state -1, expected SERVING');
  assertEquals(fault([], [], 200), "got no grpc-status, expected 0");
  assertEquals(fault([], [], 404), "got status 404, expected 200");
  const only = ["grpc-status", "12", "grpc-message", "no%20such"];
  assertEquals(fault([], [], 200, only), "got grpc-status 12 (no such), expected 0");
  assertEquals(fault([], ["grpc-status", "5", "grpc-message", "100%"]), "got grpc-status 5 (100%), expected 0");
});
