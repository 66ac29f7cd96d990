// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { cors } from "../../lib/features/cors/cors.ts";
import { corsKeys } from "../../lib/features/cors/cors_schema.ts";
import { OriginPattern } from "../../lib/features/cors/origin_pattern.ts";
import type { CorsInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";

type Handler = ReturnType<typeof createHandler>;

const ORIGIN = "https://app.example.com";

/** A site with CORS in front of an upstream that has CORS fields of its own, and counts what it is asked. */
async function withCors(
  table: CorsInput,
  run: (handler: Handler, asked: () => number) => Promise<void>,
  route: Record<string, unknown> = {},
): Promise<void> {
  let asked = 0;
  const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    asked++;
    return new Response("ok", {
      headers: [["access-control-allow-origin", "*"], ["access-control-allow-credentials", "true"], ["vary", "Accept"]],
    });
  });
  const handler = createHandler({
    sites: [{
      cors: table,
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${upstream.addr.port}` }],
        routes: [{ path: "/api", upstream: "app", methods: ["GET", "PUT"], ...route }],
      },
    }],
  });
  try {
    await run(handler, () => asked);
  } finally {
    await handler.close();
    await upstream.shutdown();
  }
}

async function ask(handler: Handler, init: RequestInit, path = "/api"): Promise<Record<string, string>> {
  const response = await handler(new Request(`http://localhost${path}`, init));
  await response.body?.cancel();
  const fields = [...response.headers].filter(([name]) => name.startsWith("access-control") || name === "vary");
  return { status: String(response.status), ...Object.fromEntries(fields) };
}

const preflight = (origin: string, method: string, more: Record<string, string> = {}) => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": method, ...more },
});

Deno.test("cors answers a preflight without the upstream, also where the route does not take OPTIONS", async () => {
  const table = { origins: [ORIGIN], methods: ["PUT"], headers: ["X-Token"], credentials: true, max_age: "1m" };
  await withCors(table, async (handler, asked) => {
    assertEquals(await ask(handler, preflight(ORIGIN, "PUT")), {
      status: "204",
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "X-Token",
      "access-control-allow-credentials": "true",
      "access-control-max-age": "60",
      vary: "Access-Control-Request-Method, Access-Control-Request-Headers, Origin",
    });
    assertEquals(await ask(handler, preflight("https://evil.example", "PUT")), {
      status: "204",
      vary: "Access-Control-Request-Method, Access-Control-Request-Headers, Origin",
    });
    assertEquals(asked(), 0);
  });
});

Deno.test("cors replaces the fields of the upstream, and varies by Origin whether it is there or not", async () => {
  await withCors({ origins: ["https://*.example.com"], exposed_headers: ["ETag"] }, async (handler, asked) => {
    assertEquals(await ask(handler, { headers: { origin: ORIGIN } }), {
      status: "200",
      "access-control-allow-origin": ORIGIN,
      "access-control-expose-headers": "ETag",
      vary: "Accept, Origin",
    });
    assertEquals(await ask(handler, {}), { status: "200", vary: "Accept, Origin" });
    assertEquals(await ask(handler, { headers: { origin: "https://example.com" } }), {
      status: "200",
      vary: "Accept, Origin",
    });
    // Pages can read the status of a failure.
    assertEquals((await ask(handler, { headers: { origin: ORIGIN } }, "/none"))["access-control-allow-origin"], ORIGIN);
    assertEquals(asked(), 3);
  });
});

Deno.test("cors with every origin sends *, and does not vary", async () => {
  await withCors({ origins: ["*"], headers: "*" }, async (handler) => {
    assertEquals(await ask(handler, { headers: { origin: ORIGIN } }), {
      ...{ status: "200", "access-control-allow-origin": "*", vary: "Accept" },
    });
    const asked = await ask(handler, preflight(ORIGIN, "GET", { "access-control-request-headers": "x-a, x-b" }));
    assertEquals(asked["access-control-allow-headers"], "x-a, x-b");
  });
});

Deno.test("cors of a route replaces that of its site", async () => {
  const route = { cors: { origins: ["https://other.example"], private_network: true } };
  await withCors({ origins: [ORIGIN] }, async (handler) => {
    assertEquals((await ask(handler, { headers: { origin: ORIGIN } }))["access-control-allow-origin"], undefined);
    const more = { "access-control-request-private-network": "true" };
    const asked = await ask(handler, preflight("https://other.example", "PUT", more));
    assertEquals(asked["access-control-allow-origin"], "https://other.example");
    assertEquals(asked["access-control-allow-private-network"], "true");
  }, route);
});

Deno.test("cors leaves an OPTIONS that is no preflight to the upstream", async () => {
  await withCors({ origins: [ORIGIN] }, async (handler, asked) => {
    await ask(handler, { method: "OPTIONS", headers: { origin: ORIGIN } });
    assertEquals(asked(), 1);
  }, { methods: ["OPTIONS"] });
});

Deno.test("OriginPattern takes an origin, all below a host, and a whole match of an expression", () => {
  const cases: [string, string, boolean][] = [
    ["https://a.example", "https://a.example", true],
    ["https://a.example", "https://a.example:8443", false],
    ["https://a.example", "http://a.example", false],
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "https://.example.com", false],
    ["https://*.example.com", "https://evil.com/.example.com", false],
    ["https://*.example.com", "https://a.example.com.evil.com", false],
    ["https://*.example.com:8443", "https://a.example.com:8443", true],
    ["~https://[a-z]+[.]example[.]com", "https://app.example.com", true],
    ["~https://[a-z]+[.]example[.]com", "https://app.example.com.evil.com", false],
    ["*", "null", true],
    ["*", "x".repeat(301), false],
  ];
  for (const [source, origin, expected] of cases) {
    assertEquals(new OriginPattern(source).matches(origin), expected, `${source} ${origin}`);
  }
  for (const source of ["example.com", "https://a.example/", "https://a.example:443", "~(", "https://*"]) {
    assertThrows(() => new OriginPattern(source), SyntaxError, undefined, source);
  }
});

Deno.test("cors refuses credentials for every origin, and the origin null", () => {
  const errors: string[] = [];
  const report = { error: (_: unknown, { message }: { message: string }) => errors.push(message), warning: () => {} };
  cors.check(corsKeys.parse({ origins: ["*"], credentials: true }), report);
  assertEquals(errors.length, 1);
  assert(!corsKeys.safeParse({ origins: ["null"] }).success);
});
