/**
 * Config → gateway: the one place that knows every part. A gateway is one immutable generation; a new config makes a new
 * one, and the old one serves what it has begun.
 *
 * @module
 */

import type { Config, SiteConfig } from "../config/schema.ts";
import { parseAddress } from "../http/address_block.ts";
import { ProxyTrust } from "../http/client_address.ts";
import { errorAnswer } from "../http/error_body.ts";
import { headerValue, headerValues } from "../http/header_lines.ts";
import type { Answer, RequestHead } from "../http/message.ts";
import { RequestIds, usableRequestId } from "../http/request_id.ts";
import { combinedAccessLine, jsonAccessLine } from "../log/access_line.ts";
import type { Log } from "../log/log.ts";
import { type ClientSide, Exchange, type ExchangeObserver } from "../proxy/exchange.ts";
import { compileSites, type SiteTable } from "../routing/site_table.ts";
import { CoarseClock } from "../state/coarse_clock.ts";
import { SocketRegistry } from "../websocket/socket_registry.ts";
import type { OwnPolicyFactory } from "./pools.ts";
import { type ConnectionInfo, peerOf, type Refusal } from "./request_reader.ts";
import { Site } from "./site.ts";

/** What a gateway needs besides its config. */
export interface GatewayOptions {
  /**
   * Where log lines go.
   *
   * @default {undefined} No log.
   */
  log?: Log;
  /**
   * Balancing policies besides the built-in ones, by the name that `load_balancing.method` uses.
   *
   * @default {{}}
   */
  policies?: Readonly<Record<string, OwnPolicyFactory>>;
}

/** An address that sites listen on, with those sites. */
export interface GatewayListener {
  /** IP address, or undefined for all interfaces of both families. */
  readonly address: string | undefined;
  /** Port; 0 for any that is free. */
  readonly port: number;
  /** Finds the site of a host. */
  readonly sites: SiteTable<Site>;
}

/** One generation: everything that one config built. */
export class Gateway implements ExchangeObserver {
  /** The config that it was built from. */
  readonly config: Config;
  /** Where its sites listen. */
  readonly listeners: readonly GatewayListener[];
  /** All its sites, in the order of the config. */
  readonly sites: readonly Site[];
  /** Finds the site of a host where no listener tells: for embedders. */
  readonly anywhere: SiteTable<Site>;
  /** Its open WebSockets. */
  readonly sockets = new SocketRegistry();
  readonly #log: Log | undefined;
  /** Whether every exchange has its line; failures of upstreams and of BWS itself have one in any case. */
  readonly #logsAll: boolean;
  readonly #trust: ProxyTrust;
  readonly #requestIds = new RequestIds();
  #underWay = 0;

  /**
   * Builds a generation.
   *
   * @throws {Error} When a file that the config names cannot be read.
   */
  constructor(config: Config, options: GatewayOptions = {}) {
    this.config = config;
    this.#log = options.log;
    this.#logsAll = config.logging.access && options.log?.writes("info") === true;
    this.#trust = new ProxyTrust(config.server.trusted_proxies);
    const clock = new CoarseClock();
    const { sockets } = this;
    const startedMs = Date.now();
    const groups = Map.groupBy(
      config.sites,
      (site) =>
        `${site.listen === undefined ? "" : parseAddress(site.listen)} ${site.port === 0 ? site.name : site.port}`,
    );
    const sites = new Map<SiteConfig, Site>();
    this.listeners = [...groups.values()].map((group) => ({
      address: group[0].listen,
      port: group[0].port,
      sites: compileSites(group.map((site) => {
        const { policies = {} } = options;
        const built = new Site(site, { server: config.server, neighbours: group, startedMs, clock, policies, sockets });
        sites.set(site, built);
        return specOf(built);
      })),
    }));
    this.sites = config.sites.map((site) => sites.get(site) as Site);
    this.anywhere = compileSites(this.sites.map(specOf));
  }

  /** Exchanges that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Answers a request. Never throws and never rejects.
   *
   * @param sites The table of the listener that accepted the connection.
   */
  answer(head: RequestHead, client: ClientSide, sites: SiteTable<Site>): Answer | Promise<Answer> {
    const exchange = new Exchange(head, client, this);
    this.#underWay++;
    this.#identify(exchange);
    return sites.find(head.host).answer(exchange);
  }

  /** Answers a request that belongs to no site, so that it is in the log all the same. */
  refuse(request: Request, info: ConnectionInfo | undefined, refusal: Refusal): Answer {
    const head: RequestHead = {
      method: request.method,
      // All that there is of it, since it could not be taken apart.
      path: request.url,
      query: "",
      authority: request.headers.get("host") ?? "",
      host: "",
      scheme: "http",
      headers: [...request.headers].flat(),
      peer: peerOf(info?.remoteAddr),
    };
    const exchange = new Exchange(head, request, this);
    this.#underWay++;
    this.#identify(exchange);
    exchange.status = refusal.status;
    exchange.failed(refusal.cause, "client");
    const answer = errorAnswer(head, refusal.status, exchange.requestId);
    exchange.bytes = answer.body?.length ?? 0;
    exchange.end();
    return { ...answer, headers: [...answer.headers, "x-request-id", exchange.requestId] };
  }

  /** Writes the access line. */
  exchangeEnded(exchange: Exchange): void {
    this.#underWay--;
    if (this.#log === undefined || (!this.#logsAll && exchange.status < 500)) return;
    const { head } = exchange;
    const record = {
      requestId: exchange.requestId,
      clientAddress: exchange.clientAddress,
      method: head.method,
      host: head.authority,
      path: head.path,
      query: head.query,
      site: exchange.site,
      status: exchange.status,
      bytes: exchange.bytes,
      receivedBytes: exchange.receivedBytes,
      closeCode: exchange.closeCode,
      durationMs: exchange.durationMs,
      upstreamMs: exchange.upstreamMs,
      upstream: exchange.upstream,
      attempts: exchange.attempts,
      cause: exchange.cause,
      causeOwner: exchange.causeOwner,
      referer: headerValue(head.headers, "referer") ?? "",
      userAgent: headerValue(head.headers, "user-agent") ?? "",
    };
    this.#log.line(this.#log.format === "json" ? jsonAccessLine(record) : combinedAccessLine(record));
  }

  /** Lets go of what idles; exchanges under way end by themselves. */
  close(): void {
    for (const site of this.sites) site.close();
  }

  /** Ends exchanges under way by force. */
  destroy(): void {
    this.sockets.destroy();
    for (const site of this.sites) {
      for (const pool of site.pools.values()) {
        for (const upstream of pool.upstreams) upstream.connections.destroy();
      }
      site.close();
    }
  }

  #identify(exchange: Exchange): void {
    const { peer, headers } = exchange.head;
    if (this.#trust.trusts(peer.address)) {
      exchange.peerTrusted = true;
      const forwardedFor = headerValues(headers, "x-forwarded-for");
      if (forwardedFor.length > 0) {
        exchange.clientAddress = this.#trust.clientAddress(peer.address, forwardedFor.join(","));
      }
      const id = headerValue(headers, "x-request-id");
      if (id !== undefined && usableRequestId(id)) {
        exchange.requestId = id;
        return;
      }
    }
    exchange.requestId = this.#requestIds.next();
  }
}

function specOf(site: Site): { hosts: readonly string[]; default: boolean; target: Site } {
  return { hosts: site.hosts, default: site.config.default, target: site };
}
