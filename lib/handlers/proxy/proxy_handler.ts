/**
 * The handler of a proxied route: it forwards a request, relays a WebSocket, or responds itself where Max-Forwards is
 * 0.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Handler } from "../../exchange/filter.ts";
import { allowed, noHopLeft } from "../../http/max_forwards.ts";
import { isFault, readUpgrade } from "../websocket/handshake.ts";
import { type SocketPlan, SocketUpgrade } from "../websocket/socket_route.ts";
import { failureLines } from "./failure_lines.ts";
import { forward, type ForwardPlan } from "./forward.ts";
import { ForwardFailure } from "./forward_failure.ts";
import type { PlainHandshakes } from "./plain_handshakes.ts";

/** What a route, or several, do with requests; built once. */
export interface ProxyPlan {
  /** Methods of the route; undefined for all. */
  readonly methods: readonly string[] | undefined;
  /** How requests are forwarded. */
  readonly forward: ForwardPlan;
  /** How WebSockets are relayed; undefined on routes without `websocket = true`. */
  readonly sockets: SocketPlan | undefined;
  /** Logs handshakes that are forwarded as plain requests. */
  readonly plainHandshakes: PlainHandshakes;
}

/** Forwards the requests of one route, or of several that do the same. */
export class ProxyHandler implements Handler {
  readonly #plan: ProxyPlan;

  /** @param plan What the route does. */
  constructor(plan: ProxyPlan) {
    this.#plan = plan;
  }

  /** Forwards a request. */
  handle(exchange: Exchange): Outcome | Promise<Outcome> {
    const { head } = exchange;
    if (noHopLeft(head)) return this.#lastHop(exchange);
    if (exchange.dryRun !== undefined) return this.#dryRun(exchange);
    const { forward: plan, sockets, plainHandshakes } = this.#plan;
    if (head.upgrade === "") return forward(exchange, plan);
    const upgrade = readUpgrade(head);
    if (upgrade === undefined) return forward(exchange, plan);
    if (sockets === undefined) {
      plainHandshakes.note(exchange.route);
      return forward(exchange, plan);
    }
    if (isFault(upgrade)) return new ExchangeFailure(upgrade.status, upgrade.fault, { lines: upgrade.lines });
    if (sockets.sockets.draining) {
      return this.failure(exchange, new ForwardFailure(503, "The proxy is stopping", "proxy")) as ExchangeFailure;
    }
    return forward(exchange, plan, new SocketUpgrade(exchange, upgrade, sockets));
  }

  /** The failure of a request that could not be forwarded. */
  failure(exchange: Exchange, error: unknown): ExchangeFailure | undefined {
    if (!(error instanceof ForwardFailure)) return undefined;
    const lines = failureLines(error, exchange, this.#plan.forward.retries);
    return new ExchangeFailure(error.status, error.message, { owner: error.owner, lines });
  }

  #dryRun(exchange: Exchange): Outcome {
    const { sockets } = this.#plan;
    const upgrade = sockets && readUpgrade(exchange.head);
    if (upgrade !== undefined && isFault(upgrade)) {
      return new ExchangeFailure(upgrade.status, upgrade.fault, { lines: upgrade.lines });
    }
    return exchange.dryRun?.forward(upgrade !== undefined) ?? { status: 204, headers: [], body: null };
  }

  // The response where Max-Forwards is 0. TRACE would disclose fields that other proxies added, such as credentials.
  #lastHop(exchange: Exchange): Outcome {
    const lines = ["allow", allowed(this.#plan.methods)];
    if (exchange.head.method === "TRACE") return new ExchangeFailure(405, "TRACE is not supported", { lines });
    return { status: 204, headers: lines, body: null };
  }
}
