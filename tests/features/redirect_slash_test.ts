// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { createHandler } from "../../lib/process/create_handler.ts";

/** Location or status for a request to a site with these routes. */
async function answers(
  routes: Record<string, unknown>[],
  requests: string[],
  site: Record<string, unknown> = {},
): Promise<string[]> {
  const handler = createHandler({
    sites: [{
      ...site,
      proxy: {
        upstreams: [{ name: "app", url: "http://127.0.0.1:1" }],
        retries: { attempts: 1 },
        routes: routes.map((route) => ({ path: "/", upstream: "app", ...route })),
      },
    }],
  });
  try {
    const got: string[] = [];
    for (const line of requests) {
      const [method, target] = line.split(" ");
      const response = await handler(new Request(`http://localhost${target}`, { method }));
      await response.body?.cancel();
      got.push(response.headers.get("location") ?? String(response.status));
    }
    return got;
  } finally {
    await handler.close();
  }
}

Deno.test("a route that ends in a slash redirects GET and HEAD without it, with the query", async () => {
  const requests = ["GET /app", "HEAD /app", "GET /app?a=//b&c", "GET /%61pp", "POST /app", "GET /apps", "GET /app;x"];
  assertEquals(await answers([{ path: "/app/" }], requests), [
    ...["/app/", "/app/", "/app/?a=//b&c", "/%61pp/", "404", "404", "404"],
  ]);
  assertEquals(await answers([{ path: "/stra\u00dfe/" }], ["GET /stra%c3%9fe"]), ["/stra%c3%9fe/"]);
});

Deno.test("nothing is redirected that another route takes, or that the route itself would not", async () => {
  // 502: the request went to the upstream, which is not there.
  assertEquals(await answers([{ path: "/app/" }, { path: "/" }], ["GET /app"]), ["502"]);
  assertEquals(await answers([{ path: "/app/" }, { path: "/app", exact: true }], ["GET /app"]), ["502"]);
  assertEquals(await answers([{ path: "/app/" }, { path: "/app", methods: ["POST"] }], ["GET /app"]), ["405"]);
  assertEquals(await answers([{ path: "/app/", methods: ["POST"] }], ["GET /app"]), ["404"]);
  assertEquals(await answers([{ path: "/app/", exact: true }], ["GET /app"]), ["404"]);
  assertEquals(await answers([{ path: "/app/", redirect_slash: false }], ["GET /app"]), ["404"]);
  assertEquals(await answers([{ path: "/app/x/" }], ["GET /app"]), ["404"]);
});

Deno.test("redirect_slash on a site holds for its routes, and a route's own takes its place", async () => {
  const routes = [{ path: "/app/" }, { path: "/own/", redirect_slash: true }];
  const requests = ["GET /app", "GET /own"];
  assertEquals(await answers(routes, requests, { redirect_slash: false }), ["404", "/own/"]);
  assertEquals(await answers([routes[0]], requests, { redirect_slash: false }), ["404", "404"]);
});

Deno.test("a redirect to a slash comes before an error page for 404", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${root}/404.html`, "none");
    const site = { error_pages: { 404: `${root}/404.html` } };
    assertEquals(await answers([{ path: "/app/" }], ["GET /app", "GET /none"], site), ["/app/", "404"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a redirect to a slash never leads to another host", async () => {
  const routes = [{ path: "//evil.example/" }, { path: "/x/" }];
  assertEquals(await answers(routes, ["GET //evil.example", "GET /%2Fevil.example", "GET /a/..//evil.example"]), [
    ...["404", "404", "404"],
  ]);
});

Deno.test("files at the path come before a redirect to a slash, the fallback of try_files comes after it", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${root}/app`, "a file");
    const routes = [{ path: "/app/" }, { path: "/api/" }];
    assertEquals(await answers(routes, ["GET /app", "GET /api", "GET /none"], { static_dir: root }), [
      "200",
      "/api/",
      "404",
    ]);
    const spa = { static_dir: root, try_files: ["$path", "/app"] };
    assertEquals(await answers(routes, ["GET /api", "HEAD /api?a", "GET /none", "POST /api"], spa), [
      ...["/api/", "/api/?a", "200", "405"],
    ]);
    await Deno.mkdir(`${root}/api`);
    assertEquals(await answers(routes, ["GET /api"], spa), ["/api/"]);
    // What stands at the path itself takes it.
    await Deno.writeTextFile(`${root}/api.html`, "a page");
    const clean = { static_dir: root, try_files: ["$path", "$path.html", "/app"] };
    assertEquals(await answers(routes, ["GET /api", "GET /app"], clean), ["200", "200"]);
    const off = [{ path: "/api/", redirect_slash: false }];
    assertEquals(await answers(off, ["GET /api"], spa), ["200"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
