// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { respond } from "../../lib/features/respond.ts";
import type { SiteInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";

/** Responses of a site to these requests. */
async function ask(site: SiteInput, requests: (Request | string)[], address = "192.0.2.1") {
  const handler = createHandler({ sites: [{ static_dir: "tests/www", ...site }] });
  const info = { remoteAddr: { transport: "tcp", hostname: address, port: 1 } } as Deno.ServeHandlerInfo;
  try {
    const got = [];
    for (const request of requests) {
      const response = await handler(
        new Request(request instanceof Request ? request : `http://localhost${request}`),
        info,
      );
      got.push({ status: response.status, headers: response.headers, text: await response.text() });
    }
    return got;
  } finally {
    await handler.close();
  }
}

Deno.test("respond gives a fixed status, header fields and body, the first that fits", async () => {
  const site: SiteInput = {
    respond: [
      { path: "/robots.txt", body: "User-agent: *\nDisallow: /\n" },
      { path: "/users/:id", body: "{id} from {client.ip}", headers: { "X-A": "b" }, methods: ["GET"] },
      { path: "/gone/*", status: 410 },
    ],
  };
  const [robots, user, gone, post] = await ask(site, [
    ...["/robots.txt", "/users/7", "/gone/a/b"],
    new Request("http://localhost/users/7", { method: "POST" }),
  ]);
  assertEquals([robots.status, robots.text], [200, "User-agent: *\nDisallow: /\n"]);
  assertEquals(robots.headers.get("content-type"), "text/plain; charset=utf-8");
  assertEquals([user.text, user.headers.get("x-a")], ["7 from 192.0.2.1", "b"]);
  assertEquals([gone.status, gone.text], [410, ""]);
  assertEquals(post.status, 405);
});

Deno.test("respond refuses a body where the status has none, and an unknown placeholder", () => {
  const found: string[] = [];
  const report = { error: (_: unknown, { message }: { message: string }) => found.push(message), warning: () => {} };
  respond.check(
    respond.schema.parse([{ path: "/a", status: 204, body: "x" }, { path: "/b", body: "{nobody}" }]),
    report,
  );
  assertEquals(found.length, 2);
  assertEquals(found[0], "a response with 204 has no body");
});

Deno.test("maintenance answers 503, but for allowed addresses and the site's endpoints", async () => {
  const site: SiteInput = { maintenance: { allow: ["10.0.0.0/8"], retry_after: "2m" } };
  const [page, health, challenge] = await ask(site, ["/", "/api/health", "/.well-known/acme-challenge/x"]);
  assertEquals([page.status, page.headers.get("retry-after"), health.status, challenge.status], [503, "120", 200, 404]);
  // ask() takes a URL, whose dot segments are resolved where they are not behind an encoded slash.
  assertEquals((await ask(site, ["/.well-known/acme-challenge/x%2F..%2F..%2F..%2Fx"]))[0].status, 503);
  assertEquals((await ask(site, ["/"], "10.1.2.3"))[0].status, 200);
  assertEquals((await ask({ maintenance: true }, ["/"], "10.1.2.3"))[0].status, 503);
  assertEquals((await ask({ maintenance: { enabled: false } }, ["/"]))[0].status, 200);
});

Deno.test("security_headers sends a set of fields, and leaves those of the config", async () => {
  const fields = async (site: SiteInput, url = "http://localhost/") => {
    const [{ headers }] = await ask(site, [new Request(url)]);
    const names = ["x-content-type-options", "x-frame-options", "referrer-policy", "strict-transport-security"];
    return names.map((name) => headers.get(name));
  };
  assertEquals(await fields({ security_headers: true }), [
    ...["nosniff", "SAMEORIGIN", "strict-origin-when-cross-origin", null],
  ]);
  assertEquals((await fields({ security_headers: true }, "https://localhost/"))[3], "max-age=31536000");
  assertEquals(
    (await fields({ security_headers: true, hsts: { max_age: "1d" } }, "https://localhost/"))[3],
    "max-age=86400",
  );
  const site: SiteInput = {
    security_headers: { frame_options: false, referrer_policy: "no-referrer" },
    headers: { "X-Content-Type-Options": "other" },
  };
  assertEquals(await fields(site), ["other", null, "no-referrer", null]);
});

Deno.test("security_headers removes Server and X-Powered-By of upstreams", async () => {
  const upstream = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("ok", { headers: { server: "x/1", "x-powered-by": "y", "x-frame-options": "DENY" } }),
  );
  const url = `http://127.0.0.1:${upstream.addr.port}`;
  const proxy = { upstreams: [{ name: "app", url }], routes: [{ path: "/", upstream: "app" }] };
  try {
    const [{ headers }] = await ask({ security_headers: true, proxy }, ["/"]);
    const names = ["server", "x-powered-by", "x-frame-options"];
    assertEquals(names.map((name) => headers.get(name)), [null, null, "DENY"]);
  } finally {
    await upstream.shutdown();
  }
});
