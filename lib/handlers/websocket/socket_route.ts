/**
 * WebSockets on a route: the handshake with the upstream comes first, like any request, and the client's connection is
 * upgraded only when the upstream has accepted. The response of an upstream that refuses is passed on like any other.
 *
 * @module
 */

import type { WebSocketConfig } from "../proxy/config/websocket_schema.ts";
import type { RouteConfig } from "../proxy/config/route_schema.ts";
import { headerValue } from "../../http/header_lines.ts";
import type { HeaderLines, HttpResponse, Upgrade } from "../../http/message.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { UpgradedConnection, UpstreamUpgrade } from "../proxy/upstream_upgrade.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import { UpstreamSocket } from "./upstream_socket.ts";
import type { UpgradeRequest } from "./handshake.ts";
import type { OpenWebSocket, OpenWebSocketObserver } from "./open_websocket.ts";
import { Relay } from "./relay.ts";
import { Tunnel } from "./tunnel.ts";
import { ClientSocket } from "./client_socket.ts";
import type { SocketRegistry } from "./socket_registry.ts";
import type { RouteMetrics } from "../../exchange/route_metrics.ts";
import { UpstreamHandshake } from "./upstream_handshake.ts";

/** How the WebSockets of a site's routes are relayed; built once. */
export interface SocketPlan {
  /** Limits and timeouts. */
  readonly config: WebSocketConfig;
  /** Counts open WebSockets. */
  readonly sockets: SocketRegistry;
  /** The clock for deadlines. */
  readonly clock: CoarseClock;
  /** Identifies the route; changes with the route's options. */
  readonly route: string;
  /** Counts messages; undefined where no metrics are kept. */
  readonly metrics: RouteMetrics | undefined;
}

/**
 * {@linkcode SocketPlan.route} of a route: all of its options, because a WebSocket that was opened under other options is
 * closed.
 */
export function socketPlace(listener: string, site: string, route: RouteConfig): string {
  return JSON.stringify([listener, site, route]);
}

/** The upgrade of one exchange to a WebSocket. */
export class SocketUpgrade implements UpstreamUpgrade {
  readonly #exchange: Exchange;
  readonly #offered: readonly string[];
  readonly #plan: SocketPlan;
  /** Whether client and upstream make the handshake with each other, and their bytes are passed on as they are. */
  readonly #tunnels: boolean;
  readonly #handshake: UpstreamHandshake;

  /** @param asked The handshake of the client. */
  constructor(exchange: Exchange, asked: UpgradeRequest, plan: SocketPlan) {
    this.#exchange = exchange;
    this.#offered = asked.protocols;
    this.#plan = plan;
    this.#tunnels = exchange.client.tunnels === true;
    this.#handshake = new UpstreamHandshake(this.#tunnels ? asked : undefined);
  }

  /** The header lines of the next handshake. */
  ask(): string {
    return this.#handshake.ask();
  }

  /** Throws when a response with status 101 does not match the last handshake. */
  check(head: ResponseHead): void {
    this.#handshake.check(head);
  }

  /** The head of a stream that was opened as a WebSocket, as that of a status 101. */
  opened(head: ResponseHead): ResponseHead {
    return this.#handshake.opened(head);
  }

  /** Called when the upstream has accepted: upgrades the client's connection and starts the relay. */
  accept(head: ResponseHead, lines: HeaderLines, connection: UpgradedConnection): HttpResponse {
    const { ping_interval: pingMs, idle_timeout: idleMs } = this.#plan.config;
    const headers = acceptanceLines(head, lines);
    const protocol = headerValue(head.headers, "sec-websocket-protocol") ?? "";
    // The client fails the connection then (RFC 6455, section 4.1); the proxy logs why.
    if (protocol !== "" && !this.#offered.includes(protocol)) {
      const shown = protocol.slice(0, 80);
      this.#exchange.failed(
        `The upstream chose the subprotocol "${shown}", which the client did not offer`,
        "upstream",
      );
    }
    if (this.#tunnels) addHandshakeLines(headers, head.headers);
    else if (protocol !== "") headers.push("sec-websocket-protocol", protocol);
    const upgrade: Upgrade = {
      // The runtime pings after half of this time, and closes the connection after all of it.
      idleTimeoutSeconds: (idleMs === 0 ? 2 * pingMs : Math.min(2 * pingMs, idleMs)) / 1000,
      begin: (socket) => relay(this.#exchange, connection, { socket, plan: this.#plan }),
      tunnel: (client, early) => tunnel(this.#exchange, connection, { client, early, plan: this.#plan }),
      fail: () => {
        connection.socket.close();
        connection.release();
        return { status: 500, headers: [], body: null };
      },
    };
    return { status: 101, headers, body: null, upgrade };
  }
}

// The fields of the handshake are the proxy's own on each side; all others, such as cookies, are passed on.
function acceptanceLines(head: ResponseHead, lines: HeaderLines): HeaderLines {
  const kept: HeaderLines = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i].toLowerCase();
    if (name.startsWith("sec-websocket-") || (name === "content-length" && head.contentLength >= 0)) continue;
    kept.push(lines[i], lines[i + 1]);
  }
  return kept;
}

function addHandshakeLines(lines: HeaderLines, upstreamLines: readonly string[]): void {
  for (let i = 0; i < upstreamLines.length; i += 2) {
    if (upstreamLines[i].toLowerCase().startsWith("sec-websocket-")) lines.push(upstreamLines[i], upstreamLines[i + 1]);
  }
}

function relay(
  exchange: Exchange,
  connection: UpgradedConnection,
  { socket, plan }: { socket: WebSocket; plan: SocketPlan },
): void {
  const { config, clock, sockets, metrics } = plan;
  const client = new ClientSocket(socket, {
    clock,
    idleTimeoutMs: config.ping_interval === 0 ? config.idle_timeout : 0,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  const upstream = new UpstreamSocket(connection.socket, {
    early: connection.early,
    clock,
    config,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  const relaying = new Relay(
    client,
    upstream,
    { clock, config, metrics },
    observerOf(exchange, connection, plan, () => client.opened || sockets.neverOpened++),
  );
  opened(relaying, connection, plan);
  relaying.start();
}

function tunnel(
  exchange: Exchange,
  connection: UpgradedConnection,
  { client, early, plan }: { client: Socket; early: Uint8Array<ArrayBuffer>; plan: SocketPlan },
): void {
  const { config, clock, metrics } = plan;
  const tunnelling = new Tunnel(
    client,
    connection.socket,
    { clock, config, closeTimeoutMs: CLOSE_TIMEOUT_MS, metrics },
    observerOf(exchange, connection, plan),
  );
  opened(tunnelling, connection, plan);
  tunnelling.start(early, connection.early);
}

function opened(webSocket: OpenWebSocket, { upstream }: UpgradedConnection, plan: SocketPlan): void {
  plan.sockets.add(webSocket, { route: plan.route, upstream, drainMs: plan.config.drain });
  plan.metrics?.socketOpened(1);
}

function observerOf(
  exchange: Exchange,
  { release }: UpgradedConnection,
  { sockets, metrics }: SocketPlan,
  onEnded?: () => void,
): OpenWebSocketObserver {
  return {
    upstreamEnded: release,
    webSocketEnded: (ended) => {
      onEnded?.();
      sockets.delete(ended);
      metrics?.socketOpened(-1);
      exchange.bytes = ended.sentBytes;
      exchange.receivedBytes = ended.receivedBytes;
      exchange.closeCode = ended.status.code;
      if (ended.causeOwner !== "") exchange.failed(ended.cause, ended.causeOwner);
      exchange.delivery?.ended(exchange);
    },
  };
}

/** Longest wait for the peer's Close frame. Browsers and servers wait for 2 to 30 s. */
const CLOSE_TIMEOUT_MS = 10_000;
