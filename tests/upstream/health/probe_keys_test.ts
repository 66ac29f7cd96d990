// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import type { HealthCheckConfig } from "../../../lib/upstream/config/health_check_schema.ts";
import { ProbeKeys } from "../../../lib/upstream/health/health_check.ts";
import { checkOf } from "./probed_upstream.ts";

Deno.test("ProbeKeys.of() is the same for what is the same, whatever objects say it", () => {
  const keys = new ProbeKeys();
  const make = () =>
    keys.of(
      parseEndpoint("https://app.test/a", { caCertificates: ["one", "two"], serverName: "x" }),
      checkOf({ expect_body: "(?i)ok", headers: { A: "b" }, expect_status: [[200, 200]] }),
    );
  assertEquals(make(), make());
});

Deno.test("ProbeKeys.of() distinguishes whatever a probe could find different", () => {
  const keys = new ProbeKeys();
  const endpoints = [
    parseEndpoint("http://app.test"),
    parseEndpoint("http://app.test/base"),
    parseEndpoint("http://app.test:81"),
    { ...parseEndpoint("http://app.test"), hostname: "127.0.0.1" },
    parseEndpoint("unix:/app.sock"),
    parseEndpoint("https://app.test"),
    parseEndpoint("https://app.test", { insecureSkipVerify: true }),
    parseEndpoint("https://app.test", { serverName: "other.test" }),
    parseEndpoint("https://app.test", { caCertificates: ["one"] }),
    parseEndpoint("https://app.test", { caCertificates: ["two"] }),
  ];
  const changes: Partial<HealthCheckConfig>[] = [
    {},
    { kind: "tcp" },
    { path: "/" },
    { method: "HEAD" },
    { headers: { A: "b" } },
    { expect_status: [[200, 200]] },
    { expect_body: "ok" },
    { expect_body: "(?i)ok" },
    { port: 81 },
    { interval: 6 },
    { timeout: 6 },
    { healthy_after: 6 },
    { unhealthy_after: 6 },
  ];
  const found = new Set(endpoints.flatMap((endpoint) => changes.map((change) => keys.of(endpoint, checkOf(change)))));
  assertEquals(found.size, endpoints.length * changes.length);
});
