/**
 * BWS as a route of a Hono application: requests below `/api/` go to another server, all others to Hono.
 *
 *     UPSTREAM=http://127.0.0.1:3000 deno run -A examples/embed_hono.ts
 */

import { createHandler } from "@bws/bws";
import { Hono } from "npm:hono@4.13.19";

const proxy = createHandler({
  sites: [{
    internal_api: false,
    proxy: {
      upstreams: [{ name: "api", url: Deno.env.get("UPSTREAM") ?? "http://127.0.0.1:3000" }],
      routes: [{ path: "/api/", upstream: "api", strip_prefix: true }],
    },
  }],
});

const app = new Hono<{ Bindings: Deno.ServeHandlerInfo }>();
app.get("/", (context) => context.text("Hono says hello"));
// The second argument has the client's address, for X-Forwarded-For.
app.all("/api/*", (context) => proxy(context.req.raw, context.env));

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, app.fetch);
