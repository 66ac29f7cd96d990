// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";
import { compileRewrite } from "../../../lib/handlers/proxy/path_rewrite.ts";

function rewrite(route: Record<string, unknown>, path: string, hasBase = false): string | undefined {
  const { config } = resolveConfig({
    sites: [{
      proxy: {
        upstreams: [{ name: "u", url: "http://127.0.0.1:1" }],
        routes: [{ path: "/", upstream: "u", ...route }],
      },
    }],
  });
  const compiled = compileRewrite(config.sites[0].proxy!.routes[0], hasBase);
  return compiled === undefined ? path : compiled(path);
}

Deno.test("compileRewrite() strips the prefix and leaves the rest byte for byte", () => {
  const strip = { path: "/api/", strip_prefix: true };
  assertEquals(rewrite(strip, "/api/x"), "/x");
  assertEquals(rewrite(strip, "/%61pi//x%2F/../y"), "//x%2F/../y");
  assertEquals(rewrite({ path: "/api", strip_prefix: true }, "/api"), "/");
  assertEquals(rewrite({ path: "/", strip_prefix: true }, "/x"), "/x");
  assertEquals(rewrite({ path: "/stra\u00dfe/", strip_prefix: true }, "/stra%c3%9fe/x%c3"), "/x%c3");
  assertEquals(rewrite({ path: "/app", strip_prefix: true }, "/app;jsessionid=1"), "/;jsessionid=1");
});

Deno.test("compileRewrite() puts a target in place of the prefix", () => {
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api/x"), "/v2/x");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2/" }, "/api/x"), "/v2/x");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api"), "/v2");
  assertEquals(rewrite({ path: "/api", exact: true, rewrite_target: "/one" }, "/api"), "/one");
  assertEquals(rewrite({ path: "/a/:id", pattern: true, rewrite_target: "/one" }, "/a/7"), "/one");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api;v=1"), "/v2;v=1");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2/" }, "/api;v=1"), "/v2/;v=1");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/stra\u00dfe" }, "/api/x"), "/stra%C3%9Fe/x");
});

Deno.test("compileRewrite() strips the prefix and puts the target before what is left, where a route has both", () => {
  const both = { strip_prefix: true, rewrite_target: "/v2" };
  assertEquals(rewrite({ path: "/api", ...both }, "/api/x"), "/v2/x");
  assertEquals(rewrite({ path: "/api/", ...both }, "/api/x%2fy/"), "/v2/x%2fy/");
  assertEquals(rewrite({ path: "/", ...both }, "/x"), "/v2/x");
  assertEquals(rewrite({ path: "/api", exact: true, ...both }, "/api"), "/v2");
});

Deno.test("compileRewrite() refuses to climb out of what a route leads to", () => {
  assertEquals(rewrite({ path: "/api/", strip_prefix: true }, "/api/../x"), undefined);
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api/%2e%2e/x"), undefined);
  assertEquals(rewrite({ path: "/api", strip_prefix: true }, "/api/..;/x"), undefined);
  assertEquals(rewrite({ path: "/api/", strip_prefix: true }, "/api/..%2fx"), undefined);
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api/a%2f%2e%2e%5c..%2fx"), undefined);
  assertEquals(rewrite({ path: "/api", strip_prefix: true }, "/api/a%2fb/../x"), "/a%2fb/../x");
  assertEquals(rewrite({}, "/..%2fx", true), undefined);
  assertEquals(rewrite({}, "/../x", true), undefined);
  assertEquals(rewrite({}, "/a/../x", true), "/a/../x");
  assertEquals(rewrite({}, "/a/../x"), "/a/../x");
});
