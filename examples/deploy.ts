/**
 * BWS on Deno Deploy, or on any other platform that takes a handler. The config is the text of a TOML file in the environment
 * variable `BWS_TOML`; without it, the object below.
 *
 *     deno run -A examples/deploy.ts
 */

import { type ConfigInput, createHandler } from "@bws/bws";

const config: ConfigInput = {
  sites: [{
    headers: { "strict-transport-security": "max-age=31536000" },
    proxy: {
      // Servers on the internet choose the site by Host, so send the host of the upstream.
      preserve_host: false,
      upstreams: [{ name: "origin", url: "https://example.com" }],
      routes: [{ path: "/", upstream: "origin" }],
    },
  }],
};

// Deno Deploy chooses the port.
Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, createHandler(Deno.env.get("BWS_TOML") ?? config));
