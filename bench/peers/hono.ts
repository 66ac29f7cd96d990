/**
 * Hono's proxy helper as a peer, on Node and on Bun. It knows no WebSockets.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import { scriptPeer } from "./script_peer.ts";

const APP = `import { Hono } from "hono";
import { proxy } from "hono/proxy";
const app = new Hono();
const forward = (c) => {
  const { pathname, search } = new URL(c.req.url);
  return proxy(next() + pathname + search, {
    ...c.req,
    headers: { ...c.req.header(), "X-Forwarded-For": getConnInfo(c).remote.address },
  });
};
for (const path of setting.routes.length === 0 ? [""] : setting.routes) app.all(path + "/*", forward);
`;

/** The two. */
export const HONO_PEERS: readonly Peer[] = [
  scriptPeer({
    name: "Hono on Node",
    key: "hono-node",
    abilities: ["proxy", "routes", "pool"],
    packages: ["hono", "@hono/node-server"],
    processState: "node",
    script: `import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
${APP}
serve({
  fetch: app.fetch,
  port: setting.port,
  hostname: "127.0.0.1",
  serverOptions: { keepAliveTimeout: 600_000 },
});
`,
  }),
  scriptPeer({
    name: "Hono on Bun",
    key: "hono-bun",
    abilities: ["proxy", "routes", "pool"],
    packages: ["hono", "bun"],
    processState: "bun",
    script: `import { getConnInfo } from "hono/bun";
${APP}
Bun.serve({ fetch: app.fetch, port: setting.port, hostname: "127.0.0.1", idleTimeout: 255 });
`,
  }),
];
