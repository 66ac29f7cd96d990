/**
 * WebSockets on a route: the upstream is asked first, and only when it has accepted is the client accepted. An upstream
 * that refuses is an answer like any other.
 *
 * @module
 */

import type { ProxyConfig } from "../proxy/config/proxy_schema.ts";
import type { RouteConfig } from "../proxy/config/route_schema.ts";
import type { HeaderLines, HttpResponse, Upgrade } from "../../http/message.ts";
import { sendableStatus } from "../../http/sendable_status.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { type ForwardPlan, noUpstream, retryableElsewhere } from "../proxy/forward.ts";
import { ForwardFailure, statusOf } from "../proxy/forward_failure.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { closeQuietly } from "../../sockets/wire.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { UpstreamHead } from "../../http1/response_head.ts";
import { FramedSocket } from "./framed_socket.ts";
import type { UpgradeRequest } from "./handshake.ts";
import { type OpenedUpstream, openUpstream, type RefusedUpstream } from "./open_upstream.ts";
import { Relay } from "./relay.ts";
import { ServedSocket } from "./served_socket.ts";
import type { SocketRegistry } from "./socket_registry.ts";
import type { RouteMetrics } from "../../exchange/route_metrics.ts";

/** How the WebSockets of a site's routes are relayed; built once. */
export interface SocketPlan {
  /** Bounds and times. */
  readonly config: ProxyConfig["websocket"];
  /** Where open sockets are counted. */
  readonly sockets: SocketRegistry;
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Tells the route apart from all others, and from itself after a change. */
  readonly route: string;
  /** Who counts; nobody where no figures are kept. */
  readonly metrics: RouteMetrics | undefined;
}

/**
 * What {@linkcode SocketPlan.route} is: the whole route, as a WebSocket that was opened under other rules is not to go on
 * under these.
 */
export function socketPlace(listener: string, site: string, route: RouteConfig): string {
  return JSON.stringify([listener, site, route]);
}

/**
 * Answers a request for a WebSocket.
 *
 * @param fail Gives, and ends the exchange with, the answer to a client whose connection cannot be upgraded.
 * @throws {ForwardFailure} With the status for the client.
 */
export async function openSocket(
  exchange: Exchange,
  upgrade: UpgradeRequest,
  { route, sockets, fail }: { route: ForwardPlan; sockets: SocketPlan; fail: (cause: string) => HttpResponse },
): Promise<HttpResponse> {
  if (sockets.sockets.draining) throw new ForwardFailure(503, "The proxy is stopping", "proxy");
  const opened = await ask(exchange, route);
  if (!("wire" in opened)) return refusal(exchange, opened, route);
  const { wire, slot, accepted, span } = opened;
  const { ping_interval: pingMs, idle_timeout: idleMs } = sockets.config;
  const headers = acceptanceLines(accepted.head, linesOf(accepted.head, exchange, route, slot.upstream));
  const { protocol } = accepted;
  if (protocol !== "") {
    headers.push("sec-websocket-protocol", protocol);
    // A client fails the connection then (RFC 6455, section 4.1): it is for it to decide, and for the log to say why.
    if (!upgrade.protocols.includes(protocol)) {
      const shown = protocol.slice(0, 80);
      exchange.failed(`The upstream chose the subprotocol "${shown}", which the client did not offer`, "upstream");
    }
  }
  const cookie = route.pool.affinity(exchange, slot.upstream);
  if (cookie !== undefined) headers.push("set-cookie", cookie);
  const takeOver: Upgrade = {
    // The runtime pings after half of this time, and gives up after all of it.
    idleTimeoutSeconds: (idleMs === 0 ? 2 * pingMs : Math.min(2 * pingMs, idleMs)) / 1000,
    begin: (socket) => relay(exchange, opened, { socket, plan: sockets }),
    fail: (reason) => {
      closeQuietly(wire);
      slot.release();
      span?.end();
      return fail(`The client's connection cannot be upgraded: ${reason}`);
    },
  };
  exchange.status = 101;
  return { status: 101, headers, body: null, upgrade: takeOver };
}

async function ask(exchange: Exchange, route: ForwardPlan) {
  const { head } = exchange;
  const path = route.rewrite === undefined ? head.path : route.rewrite(head.path);
  if (path === undefined) {
    throw new ForwardFailure(400, "The path has dot segments that leave the route", "client");
  }
  const target = path + head.query;
  try {
    const opened = await openUpstream(exchange, {
      pool: route.pool,
      target,
      connectTimeoutMs: route.limits.connectTimeoutMs,
      answerTimeoutMs: route.limits.readTimeoutMs,
      retryable: retryableElsewhere,
      buildHead: ({ endpoint }, lines) => {
        const host = route.preserveHost ? head.authority : endpoint.authority;
        return route.requestHeaders.build(exchange, endpoint.basePath + target, host, "", route.forwardedPrefix, lines);
      },
    });
    if (opened === undefined) throw noUpstream(exchange, route.pool);
    return opened;
  } catch (error) {
    if (!(error instanceof TransportFailure)) throw error;
    throw new ForwardFailure(statusOf(error), error.message, error.owner);
  }
}

function refusal(
  exchange: Exchange,
  { head, body, upstream }: RefusedUpstream,
  route: ForwardPlan,
): HttpResponse {
  const status = sendableStatus(head.status);
  exchange.status = status;
  exchange.bytes = body.length;
  exchange.end();
  return { status, headers: linesOf(head, exchange, route, upstream), body };
}

function linesOf(head: UpstreamHead, exchange: Exchange, route: ForwardPlan, upstream: Upstream): HeaderLines {
  const redirects = route.redirects?.of(upstream.endpoint);
  return route.responseHeaders.build(head, exchange.requestId, redirects, exchange.head.authority);
}

// The handshake's own fields are between the proxy and its two peers; the rest, such as cookies, is the upstream's word.
function acceptanceLines(head: UpstreamHead, lines: HeaderLines): HeaderLines {
  const kept: HeaderLines = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i].toLowerCase();
    if (name.startsWith("sec-websocket-") || (name === "content-length" && head.contentLength >= 0)) continue;
    kept.push(lines[i], lines[i + 1]);
  }
  return kept;
}

function relay(
  exchange: Exchange,
  { wire, slot, accepted, span }: OpenedUpstream,
  { socket, plan: { config, clock, sockets, route, metrics } }: { socket: WebSocket; plan: SocketPlan },
): void {
  const client = new ServedSocket(socket, {
    clock,
    idleTimeoutMs: config.ping_interval === 0 ? config.idle_timeout : 0,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  const upstream = new FramedSocket(wire, {
    client: true,
    peer: "upstream",
    early: accepted.early,
    clock,
    maxMessageBytes: config.max_message,
    pingIntervalMs: config.ping_interval,
    idleTimeoutMs: config.idle_timeout,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  const joined = new Relay(client, upstream, {
    clock,
    maxBufferedBytes: config.max_buffered,
    maxMessageBytes: config.max_message,
    idleTimeoutMs: config.idle_timeout,
    metrics,
  }, {
    upstreamEnded: () => {
      slot.release();
      span?.end();
    },
    relayEnded: (ended) => {
      if (!client.opened) sockets.neverOpened++;
      sockets.delete(ended);
      metrics?.socketOpened(-1);
      exchange.bytes = ended.sentBytes;
      exchange.receivedBytes = ended.receivedBytes;
      exchange.closeCode = ended.status.code;
      if (ended.causeOwner !== "") exchange.failed(ended.cause, ended.causeOwner);
      exchange.end();
    },
  });
  sockets.add(joined, { route, upstream: slot.upstream.id, drainMs: config.drain });
  metrics?.socketOpened(1);
  joined.start();
}

/** Longest wait for the answer to a Close frame. Browsers and servers wait for 2 to 30 s. */
const CLOSE_TIMEOUT_MS = 10_000;
