// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { createHandler } from "../../lib/process/create_handler.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { consoleWarnings } from "../support/console_warnings.ts";

const PEER = { remoteAddr: { transport: "tcp", hostname: "10.0.0.9", port: 1 } } as const;

/** Location or status for each request. */
async function responses(sites: ConfigInput["sites"], requests: [url: string, headers?: HeadersInit][]) {
  const handler = createHandler({ server: { trusted_proxies: ["10.0.0.9"] }, sites });
  try {
    const got: string[] = [];
    for (const [url, headers] of requests) {
      const response = await handler(new Request(url, { method: "POST", headers }), PEER);
      await response.body?.cancel();
      got.push(`${response.status} ${response.headers.get("location") ?? ""}`.trimEnd());
    }
    return got;
  } finally {
    await handler.close();
  }
}

Deno.test("redirect_to_https redirects to the same host, path and query, and nothing that came by https", async () => {
  const site = { port: 80, redirect_to_https: true };
  assertEquals(
    await responses([site], [
      ["http://a.test/x%20y?q=//b&c"],
      ["http://a.test:8080/"],
      ["http://[::1]:8080/x"],
      ["https://a.test/x"],
      ["http://a.test/x", { "x-forwarded-proto": "https" }],
      ["https://a.test/x", { "x-forwarded-proto": "http" }],
      ["http://b.test/x", { "x-forwarded-host": "a.test:81" }],
    ]),
    [
      "308 https://a.test/x%20y?q=//b&c",
      "308 https://a.test/",
      "308 https://[::1]/x",
      "404",
      "404",
      "308 https://a.test/x",
      "308 https://a.test/x",
    ],
  );
});

Deno.test("Challenges of ACME and the site's own endpoints are not redirected", async () => {
  assertEquals(
    await responses([{ redirect_to_https: true }], [
      ["http://a.test/.well-known/acme-challenge/token"],
      ["http://a.test/.well-known/other"],
      ["http://a.test/api/health/live"],
    ]),
    ["404", "308 https://a.test/.well-known/other", "405"],
  );
});

Deno.test("The redirect leads to the port of the site that serves the host by TLS", async () => {
  using _ports = consoleWarnings();
  const made = { static_dir: Deno.cwd(), tls: "internal" } as const;
  const sites: ConfigInput["sites"] = [
    { name: "http", port: 80, hostnames: ["a.test", "b.test"], redirect_to_https: true },
    { port: 8443, hostname: "*.test", ...made },
    { port: 9443, hostname: "c.test", ...made },
  ];
  assertEquals(await responses(sites, [["http://a.test/"]]), ["308 https://a.test:8443/"]);
  assertEquals(await responses([sites[0], sites[2]], [["http://a.test/"]]), ["308 https://a.test/"]);
});
