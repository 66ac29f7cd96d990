// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";

const CONFIG: ConfigInput = {
  sites: [{
    proxy: {
      // Nobody listens there: what is forwarded is 502, what is refused is 400.
      upstreams: [{ name: "app", url: "http://127.0.0.1:1" }, { name: "base", url: "http://127.0.0.1:1/base" }],
      retries: { attempts: 1 },
      routes: [
        { path: "/public/", upstream: "app" },
        { path: "/based/", upstream: "base", strip_prefix: true },
        { path: "/deep/", upstream: "app", rewrite_target: "/inner/" },
        { path: "/files/:name", pattern: true, upstream: "app" },
      ],
    },
  }],
};

async function statuses(config: ConfigInput, paths: readonly string[]): Promise<[string, number][]> {
  const handler = createHandler(config);
  try {
    const found: [string, number][] = [];
    for (const path of paths) {
      // As the runtime's server gives it: a URL in which nothing has been resolved.
      const request = new Request("http://site.example/");
      Object.defineProperty(request, "url", { value: `http://site.example${path}` });
      const response = await handler(request);
      await response.body?.cancel();
      found.push([path, response.status]);
    }
    return found;
  } finally {
    await handler.close();
  }
}

function each(paths: readonly string[], status: number): [string, number][] {
  return paths.map((path) => [path, status]);
}

Deno.test("A path that leads elsewhere where slashes are merged before dot segments are resolved is 400", async () => {
  const paths = [
    "/public//../admin/",
    "/public/x//..//../admin/",
    "/public/.//../admin/",
    "/public//%2e%2e/admin/",
    "/public//..;x/admin/",
    "/public///../../admin/",
  ];
  assertEquals(await statuses(CONFIG, paths), each(paths, 400));
});

Deno.test("A path that leads elsewhere where its encoded separators are decoded is 400", async () => {
  const paths = [
    "/public/..%2fadmin/",
    "/public/..%2Fadmin/",
    "/public/%2e%2e%2fadmin/",
    "/public/..%5cadmin/",
    "/public/x%2f..%2f..%2fadmin/",
    "/public/x%5c..%2f..%2fadmin/",
    "/public/%2f../admin/",
    "/public/x%2f%2f../../admin/",
    "/files/..%2fx",
  ];
  assertEquals(await statuses(CONFIG, paths), each(paths, 400));
});

Deno.test("A path that leads elsewhere where a dot segment with path parameters is a name is 400", async () => {
  const paths = ["/public/../admin/..;/public/", "/public/x/../../admin/..;a=b/public/x"];
  assertEquals(await statuses(CONFIG, paths), each(paths, 400));
});

Deno.test("A path that leaves what a route strips, in any reading, is 400", async () => {
  const paths = [
    "/based/..%2fadmin/",
    "/based/x%2f..%2f..%2fadmin/",
    "/based//../admin/",
    "/deep/..%2fadmin/",
    "/deep/x/..%5c../admin/",
  ];
  assertEquals(await statuses(CONFIG, paths), each(paths, 400));
  // The same below a route that all readings belong to
  const everything: ConfigInput = {
    sites: [{
      proxy: {
        upstreams: [{ name: "app", url: "http://127.0.0.1:1/base" }],
        retries: { attempts: 1 },
        routes: [{ path: "/", upstream: "app" }],
      },
    }],
  };
  const climbing = ["/..%2fadmin/", "/a%2f..%2f..%2fadmin/", "/a//../../admin/"];
  assertEquals(await statuses(everything, climbing), each(climbing, 400));
});

Deno.test("Encoded separators, empty and dot segments that all read as one route pass", async () => {
  const paths = [
    "/public/a%2Fb",
    "/public/a%2fb/../c",
    "/public/a%2F..%2Fb",
    "/public//x",
    "/public/a//b/../c",
    "/public/a/..;x/b",
    "/public/..x%2f.",
    "/public/%252e%252e%252fadmin/",
    "/based/a%2Fb/./c",
    "/files/a%2Fb",
    "/files/..a",
  ];
  assertEquals(await statuses(CONFIG, paths), each(paths, 502));
});
