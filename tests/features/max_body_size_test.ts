// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { MaxBodySize } from "../../lib/features/max_body_size.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

Deno.test("MaxBodySize refuses what is above its limit, by length and by bytes that have arrived", () => {
  const limit = new MaxBodySize(10);
  assertEquals([limit.announced(10), limit.arrived(10)], [undefined, undefined]);
  assertEquals(limit.announced(11), "The body has 11 bytes, more than 10");
  assertEquals(limit.arrived(11), "The client's body is larger than 10 bytes");
});

/** Statuses of requests to a site; nothing listens at its upstream, so that what is not refused gives 502. */
async function statuses(config: { server?: number; site?: number; folder: string }, requests: [string, RequestInit][]) {
  const handler = createHandler({
    server: config.server === undefined ? {} : { max_body_size: config.server },
    sites: [{
      ...(config.site === undefined ? {} : { max_body_size: config.site }),
      static_dir: config.folder,
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${freePort()}` }],
        retries: { attempts: 1 },
        routes: [
          { path: "/api/", upstream: "app" },
          { path: "/own/", upstream: "app", max_body_size: 3000 },
          { path: "/last/", upstream: "app", methods: ["OPTIONS"] },
        ],
      },
    }],
  });
  try {
    const got: number[] = [];
    for (const [path, init] of requests) {
      const body = init.method === "GET" ? {} : { body: new Uint8Array(2000) };
      // By hand: the runtime writes Content-Length only when it sends a request.
      const headers = { ...init.headers, ...(init.method === "GET" ? {} : { "content-length": "2000" }) };
      const response = await handler(new Request(`http://localhost${path}`, { ...init, ...body, headers }));
      await response.body?.cancel();
      got.push(response.status);
    }
    return got;
  } finally {
    await handler.close();
  }
}

Deno.test("max_body_size of a route holds before that of its site, and that before the server's", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const post = { method: "POST" };
    const requests: [string, RequestInit][] = [["/api/", post], ["/own/", post], ["/api/", { method: "GET" }]];
    assertEquals(await statuses({ folder }, requests), [502, 502, 502]);
    assertEquals(await statuses({ folder, server: 1000 }, requests), [413, 502, 502]);
    assertEquals(await statuses({ folder, server: 1000, site: 2000 }, requests), [502, 502, 502]);
    assertEquals(await statuses({ folder, server: 5000, site: 1000 }, requests), [413, 502, 502]);
  });
});

Deno.test("a body that nobody reads is not refused for its size: the response is that of the request's own fault", async () => {
  await inTemporaryFolder({ "page.txt": "page" }, async (folder) => {
    const got = await statuses({ folder, site: 1000 }, [
      ["/page.txt", { method: "POST" }],
      ["/api/health", { method: "POST" }],
      ["/last/", { method: "OPTIONS", headers: { "max-forwards": "0" } }],
      ["/last/", { method: "OPTIONS" }],
    ]);
    assertEquals(got, [405, 405, 204, 413]);
  });
});
