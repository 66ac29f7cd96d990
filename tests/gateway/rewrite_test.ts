// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../lib/config/resolve_config.ts";
import { compileRewrite } from "../../lib/gateway/rewrite.ts";

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
});

Deno.test("compileRewrite() puts a target in place of the prefix", () => {
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api/x"), "/v2/x");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2/" }, "/api/x"), "/v2/x");
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api"), "/v2");
  assertEquals(rewrite({ path: "/api", exact: true, rewrite_target: "/one" }, "/api"), "/one");
  assertEquals(rewrite({ path: "/a/:id", pattern: true, rewrite_target: "/one" }, "/a/7"), "/one");
});

Deno.test("compileRewrite() refuses to climb out of what a route leads to", () => {
  assertEquals(rewrite({ path: "/api/", strip_prefix: true }, "/api/../x"), undefined);
  assertEquals(rewrite({ path: "/api", rewrite_target: "/v2" }, "/api/%2e%2e/x"), undefined);
  assertEquals(rewrite({}, "/../x", true), undefined);
  assertEquals(rewrite({}, "/a/../x", true), "/a/../x");
  assertEquals(rewrite({}, "/a/../x"), "/a/../x");
});
