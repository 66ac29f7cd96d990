/**
 * Proxy libraries on Node's own server: http-proxy-3, httpxy and Fastify's.
 *
 * @module
 */

import type { Peer } from "./peer.ts";
import { scriptPeer } from "./script_peer.ts";

/** Connections to upstreams are kept, which neither does by itself; failures are 502. */
const SERVER = `
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 256 });
const failed = (res) => { if (!res.headersSent) res.statusCode = 502; res.end(); };
const server = http.createServer({ keepAliveTimeout: 600_000 }, forward);
server.on("upgrade", upgrade);
server.listen({ port: setting.port, host: "127.0.0.1", backlog: 4096 });
`;

const HTTP_PROXY_3 = scriptPeer({
  name: "http-proxy-3",
  key: "http-proxy-3",
  abilities: ["proxy", "pool", "sockets"],
  packages: ["http-proxy-3"],
  processState: "node",
  script: `import http from "node:http";
import httpProxy from "http-proxy-3";
${SERVER}
const proxy = httpProxy.createProxyServer({ agent, xfwd: true });
const sockets = httpProxy.createProxyServer({ xfwd: true });
proxy.on("error", (_error, _req, res) => failed(res));
sockets.on("error", (_error, _req, socket) => socket.destroy());
function forward(req, res) { proxy.web(req, res, { target: next() }); }
function upgrade(req, socket, head) { sockets.ws(req, socket, head, { target: next() }); }
`,
});

const HTTPXY = scriptPeer({
  name: "httpxy",
  key: "httpxy",
  abilities: ["proxy", "pool", "sockets"],
  packages: ["httpxy"],
  processState: "node",
  script: `import http from "node:http";
import { createProxyServer } from "httpxy";
${SERVER}
const proxy = createProxyServer({ agent, xfwd: true });
const sockets = createProxyServer({ xfwd: true });
function forward(req, res) { proxy.web(req, res, { target: next() }).catch(() => failed(res)); }
function upgrade(req, socket, head) { sockets.ws(req, socket, { target: next() }, head).catch(() => socket.destroy()); }
`,
});

const FASTIFY = scriptPeer({
  name: "@fastify/http-proxy",
  key: "fastify",
  abilities: ["proxy", "routes", "pool", "sockets"],
  packages: ["@fastify/http-proxy", "fastify", "undici"],
  processState: "node",
  script: `import Fastify from "fastify";
import proxy from "@fastify/http-proxy";
import { Agent } from "undici";
const app = Fastify({ logger: false, keepAliveTimeout: 600_000, pluginTimeout: 120_000, bodyLimit: 16_777_216 });
// One agent, so that routes share connections.
const undici = new Agent({ connections: 128, pipelining: 1 });
const common = {
  disableRequestLogging: true,
  undici,
  replyOptions: {
    rewriteRequestHeaders: (req, headers) => ({ ...headers, "x-forwarded-for": req.ip }),
    ...(setting.upstreams.length > 1 ? { getUpstream: () => next() } : {}),
  },
  upstream: setting.upstreams.length > 1 ? "" : next(),
};
if (setting.routes.length === 0) app.register(proxy, { ...common, websocket: setting.upstreams.length === 1 });
for (const prefix of setting.routes) app.register(proxy, { ...common, prefix, rewritePrefix: prefix });
await app.listen({ port: setting.port, host: "127.0.0.1", backlog: 4096 });
`,
});

/** The three. */
export const NODE_PEERS: readonly Peer[] = [HTTP_PROXY_3, HTTPXY, FASTIFY];
