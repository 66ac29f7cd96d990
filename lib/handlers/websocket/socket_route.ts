/**
 * WebSockets on a route: the upstream is asked first, as it is for any request, and only when it has accepted is the client
 * accepted. An upstream that refuses gives a response like any other.
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
import { closeQuietly } from "../../sockets/wire.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import { UpstreamSocket } from "./upstream_socket.ts";
import type { UpgradeRequest } from "./handshake.ts";
import { Relay } from "./relay.ts";
import { ClientSocket } from "./client_socket.ts";
import type { SocketRegistry } from "./socket_registry.ts";
import type { RouteMetrics } from "../../exchange/route_metrics.ts";
import { UpstreamHandshake } from "./upstream_handshake.ts";

/** How the WebSockets of a site's routes are relayed; built once. */
export interface SocketPlan {
  /** Bounds and times. */
  readonly config: WebSocketConfig;
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

/** The upgrade of one exchange to a WebSocket. */
export class SocketUpgrade implements UpstreamUpgrade {
  readonly #exchange: Exchange;
  readonly #offered: readonly string[];
  readonly #plan: SocketPlan;
  readonly #handshake = new UpstreamHandshake();

  /** @param asked What the client asks for. */
  constructor(exchange: Exchange, asked: UpgradeRequest, plan: SocketPlan) {
    this.#exchange = exchange;
    this.#offered = asked.protocols;
    this.#plan = plan;
  }

  /** The header lines of a handshake of the proxy's own. */
  ask(): string {
    return this.#handshake.ask();
  }

  /** Throws when a response of status 101 does not answer the last handshake. */
  check(head: ResponseHead): void {
    this.#handshake.check(head);
  }

  /** The upstream has accepted: the client is accepted, and the two are relayed. */
  accept(head: ResponseHead, lines: HeaderLines, connection: UpgradedConnection): HttpResponse {
    const { ping_interval: pingMs, idle_timeout: idleMs } = this.#plan.config;
    const headers = acceptanceLines(head, lines);
    const protocol = headerValue(head.headers, "sec-websocket-protocol") ?? "";
    if (protocol !== "") {
      headers.push("sec-websocket-protocol", protocol);
      // A client fails the connection then (RFC 6455, section 4.1): it is for it to decide, and for the log to say why.
      if (!this.#offered.includes(protocol)) {
        const shown = protocol.slice(0, 80);
        this.#exchange.failed(
          `The upstream chose the subprotocol "${shown}", which the client did not offer`,
          "upstream",
        );
      }
    }
    const upgrade: Upgrade = {
      // The runtime pings after half of this time, and gives up after all of it.
      idleTimeoutSeconds: (idleMs === 0 ? 2 * pingMs : Math.min(2 * pingMs, idleMs)) / 1000,
      begin: (socket) => relay(this.#exchange, connection, { socket, plan: this.#plan }),
      fail: () => {
        closeQuietly(connection.wire);
        connection.release();
        return { status: 500, headers: [], body: null };
      },
    };
    return { status: 101, headers, body: null, upgrade };
  }
}

// The handshake's own fields are between the proxy and its two peers; the rest, such as cookies, is the upstream's word.
function acceptanceLines(head: ResponseHead, lines: HeaderLines): HeaderLines {
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
  { wire, early, upstream: upstreamId, release }: UpgradedConnection,
  { socket, plan: { config, clock, sockets, route, metrics } }: { socket: WebSocket; plan: SocketPlan },
): void {
  const client = new ClientSocket(socket, {
    clock,
    idleTimeoutMs: config.ping_interval === 0 ? config.idle_timeout : 0,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  const upstream = new UpstreamSocket(wire, {
    client: true,
    peer: "upstream",
    early,
    clock,
    config,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  const joined = new Relay(client, upstream, { clock, config, metrics }, {
    upstreamEnded: release,
    relayEnded: (ended) => {
      if (!client.opened) sockets.neverOpened++;
      sockets.delete(ended);
      metrics?.socketOpened(-1);
      exchange.bytes = ended.sentBytes;
      exchange.receivedBytes = ended.receivedBytes;
      exchange.closeCode = ended.status.code;
      if (ended.causeOwner !== "") exchange.failed(ended.cause, ended.causeOwner);
      exchange.delivery?.ended(exchange);
    },
  });
  sockets.add(joined, { route, upstream: upstreamId, drainMs: config.drain });
  metrics?.socketOpened(1);
  joined.start();
}

/** Longest wait for the answer to a Close frame. Browsers and servers wait for 2 to 30 s. */
const CLOSE_TIMEOUT_MS = 10_000;
