// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { runRecipe } from "./running_recipe.ts";

interface Upstream extends AsyncDisposable {
  readonly port: number;
}

/** An upstream that says its name, and what it was asked for. */
function startUpstream(name: string, respond?: (request: Request) => Response): Upstream {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    return respond?.(request) ?? new Response(`${name} ${request.method} ${pathname}${search}`);
  });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function ask(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { redirect: "manual", ...init });
  const text = await response.text();
  return response.status === 200 ? text : `${response.status} ${response.headers.get("location") ?? ""}`.trim();
}

Deno.test("The recipe of an SPA sends files, the page and the API", async () => {
  await inTemporaryFolder({ "dist/index.html": "page", "dist/assets/a-1.js": "script" }, async (folder) => {
    await using api = startUpstream("api");
    await using recipe = await runRecipe("spa_with_api", { ports: { 3000: api.port }, folder });
    const { url } = recipe;
    assertEquals(await ask(`${url}/users/7`), "page");
    assertEquals(await ask(`${url}/api/health?x=1`), "api GET /api/health?x=1");
    const script = await fetch(`${url}/assets/a-1.js`);
    assertEquals([await script.text(), script.headers.get("cache-control")], [
      "script",
      "public, max-age=31536000, immutable",
    ]);
  });
});

Deno.test("The recipe of Django has a file go before the application", async () => {
  await inTemporaryFolder({ "public/static/a.css": "style", "public/media/b.txt": "upload" }, async (folder) => {
    await using app = startUpstream("app");
    await using recipe = await runRecipe("django", { ports: { 8000: app.port }, folder });
    const { url } = recipe;
    const paths = ["/static/a.css", "/media/b.txt", "/static/none.css", "/"];
    const expected = ["style", "upload", "app GET /static/none.css", "app GET /"];
    assertEquals(await Promise.all(paths.map((path) => ask(url + path))), expected);
  });
});

Deno.test("The recipe of PHP limits log-ins, and refuses xmlrpc.php", async () => {
  await using php = startUpstream("php");
  await using recipe = await runRecipe("php", { ports: { 8000: php.port } });
  const { url } = recipe;
  assertEquals(await ask(`${url}/xmlrpc.php`, { method: "POST" }), "403");
  const tries: string[] = [];
  for (let i = 0; i < 6; i++) tries.push(await ask(`${url}/wp-login.php`, { method: "POST" }));
  assertEquals(tries, [...Array(5).fill("php POST /wp-login.php"), "429"]);
  assertEquals(await ask(`${url}/wp-login.php`), "php GET /wp-login.php");
});

Deno.test("The recipes of FastAPI, Grafana and Vite choose the upstream and the path that it knows", async () => {
  await using app = startUpstream("app");
  await using other = startUpstream("other");
  const ports = { 8000: app.port, 8001: app.port, 3000: app.port, 5173: other.port };
  await using fastapi = await runRecipe("fastapi", { ports: { ...ports, 8001: other.port } });
  await using grafana = await runRecipe("grafana", { ports });
  await using vite = await runRecipe("vite", { ports });
  assertEquals((await ask(`${fastapi.url}/api/users`)).replace(/^\w+ /, ""), "GET /users");
  assertEquals(await ask(`${fastapi.url}/users`), "404");
  assertEquals(await ask(`${grafana.url}/grafana/d/1`), "app GET /grafana/d/1");
  assertEquals(await ask(`${grafana.url}/grafana`), "308 /grafana/");
  assertEquals([await ask(`${vite.url}/api/x`), await ask(`${vite.url}/x`)], ["app GET /api/x", "other GET /x"]);
});

Deno.test("The recipe of webhooks asks the login for pages, and a service for webhooks", async () => {
  const seen: (string | null)[] = [];
  await using app = startUpstream("app", ({ headers }) => {
    seen.push(headers.get("x-hook-sender") ?? headers.get("x-auth-request-user"));
    return new Response("done");
  });
  await using login = startUpstream("login", ({ url, headers }) => {
    if (new URL(url).pathname !== "/") return new Response("form");
    return headers.has("cookie")
      ? new Response(null, { status: 202, headers: { "x-auth-request-user": "ann" } })
      : new Response(null, { status: 302, headers: { location: "/oauth2/sign_in" } });
  });
  await using verify = startUpstream("verify", ({ headers }) => {
    const allowed = headers.get("authorization") === "Bearer right" && headers.get("x-forwarded-method") === "POST";
    return new Response(null, { status: allowed ? 204 : 403, headers: { "x-hook-sender": "ci" } });
  });
  await using recipe = await runRecipe("webhooks", { ports: { 3000: app.port, 4180: login.port, 3005: verify.port } });
  const { url } = recipe;
  assertEquals(await ask(`${url}/`), "302 /oauth2/sign_in");
  assertEquals(await ask(`${url}/oauth2/sign_in`), "form");
  assertEquals(await ask(`${url}/`, { headers: { cookie: "s=1", "x-auth-request-user": "root" } }), "done");
  const hook = (authorization: string, body = "{}") =>
    ask(`${url}/hooks/ci`, { method: "POST", body, headers: { authorization, "x-hook-sender": "root" } });
  assertEquals([await hook("Bearer wrong"), await hook("Bearer right")], ["403", "done"]);
  assertEquals(await hook("Bearer right", "x".repeat(1_000_001)), "413");
  assertEquals(seen, ["ann", "ci"]);
});

Deno.test("The recipe of a registry wants a password, and knows no other path", async () => {
  await using registry = startUpstream("registry");
  await using recipe = await runRecipe("container_registry", { ports: { 5000: registry.port } });
  const { url } = recipe;
  const headers = { authorization: `Basic ${btoa("ci:registry")}` };
  assertEquals(await ask(`${url}/v2/`), "401");
  assertEquals(await ask(`${url}/v2/`, { headers }), "registry GET /v2/");
  assertEquals(await ask(`${url}/v2/`, { headers: { authorization: `Basic ${btoa("ci:wrong")}` } }), "401");
  assertEquals(await ask(`${url}/other`, { headers }), "404");
});
