/**
 * BWS as the handler of a plain Deno server.
 *
 *     UPSTREAM=http://127.0.0.1:3000 deno run -A examples/embed_serve.ts
 */

import { createHandler } from "@bws/bws";

const handler = createHandler({
  sites: [{
    proxy: {
      upstreams: [{ name: "app", url: Deno.env.get("UPSTREAM") ?? "http://127.0.0.1:3000" }],
      routes: [{ path: "/", upstream: "app" }],
    },
  }],
});

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, handler);
