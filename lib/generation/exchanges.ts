/**
 * The exchanges of one generation: begun with a request id and the address of the client, counted, and logged at their end.
 *
 * @module
 */

import type { AccessLog } from "../exchange/access_log.ts";
import { type ClientSide, type DryRun, Exchange, type ExchangeObserver } from "../exchange/exchange.ts";
import type { FailureReporter } from "../exchange/failure_reporter.ts";
import type { BodySink, BodySource } from "../http/body.ts";
import type { ProxyTrust } from "../http/client_address.ts";
import { readForwardedClient } from "../http/forwarded_client.ts";
import { headerValue } from "../http/header_lines.ts";
import type { RequestHead } from "../http/message.ts";
import { givenId, type RequestId, RequestIds, usableRequestId } from "../http/request_id.ts";
import { tracing } from "../telemetry/tracing.ts";
import type { Site } from "./site.ts";

/** Options of {@linkcode Exchanges}. */
export interface ExchangesOptions {
  /** Peers whose forwarding header fields and request ids are used. */
  readonly trust: ProxyTrust;
  /** For exchanges whose site and route have no access log of their own; undefined where nothing is logged. */
  readonly accessLog: AccessLog | undefined;
  /** Reports exchanges that failed; undefined where nobody asks for them. */
  readonly failures: FailureReporter | undefined;
}

/** Begins, counts and logs exchanges. Owned by a generation. */
export class Exchanges implements ExchangeObserver {
  readonly #options: ExchangesOptions;
  readonly #requestIds = new RequestIds();
  #underWay = 0;
  #endedCount = 0;
  #idle: (() => void) | undefined;

  constructor(options: ExchangesOptions) {
    this.#options = options;
  }

  /** Exchanges that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  get endedCount(): number {
    return this.#endedCount;
  }

  /** Begins an exchange. Without a site no forwarding header field is trusted. */
  begin(head: RequestHead, client: ClientSide, site: Site | undefined): Exchange {
    const exchange = new Exchange(head, client, this);
    exchange.span = tracing?.begin(head);
    this.#underWay++;
    this.#identify(exchange, site);
    return exchange;
  }

  /** Resumes a held exchange when middleware calls the handler, possibly with another request. */
  resume(exchange: Exchange, head: RequestHead, client: ClientSide, site: Site | undefined): Exchange {
    exchange.head = head;
    exchange.client = client;
    exchange.clientAddress = head.peer.address;
    exchange.forwarded = undefined;
    this.#identify(exchange, site, exchange.id);
    return exchange;
  }

  /**
   * An exchange for a request that is only explained: it is neither counted nor logged.
   *
   * @param tunnels Whether the listener hands over connections that are upgraded, and passes on interim responses and trailers.
   */
  dryRun(head: RequestHead, site: Site, dryRun: DryRun, tunnels: boolean): Exchange {
    const inform = tunnels ? () => {} : undefined;
    const client = { body: new EmptyBody(), signal: new AbortController().signal, tunnels, inform };
    const exchange = new Exchange(head, client, UNOBSERVED);
    exchange.dryRun = dryRun;
    this.#identify(exchange, site);
    return exchange;
  }

  /** Counts the end of an exchange and writes its access line. */
  exchangeEnded(exchange: Exchange): void {
    const { accessLog, failures } = this.#options;
    this.#underWay--;
    this.#endedCount++;
    failures?.look(exchange);
    if (this.#underWay === 0) this.#idle?.();
    if (!exchange.unlogged) (exchange.accessLog ?? accessLog)?.write(exchange);
  }

  /** Resolves when no exchange is under way. */
  async allEnded(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }

  #identify(exchange: Exchange, site: Site | undefined, heldId?: RequestId): void {
    const { trust } = this.#options;
    const { peer, headers } = exchange.head;
    if (site !== undefined && trust.trusts(peer.address)) {
      exchange.forwarded = readForwardedClient(headers, peer.address, trust);
      exchange.clientAddress = exchange.forwarded.address;
      const id = headerValue(headers, site.requestIdName);
      if (id !== undefined && usableRequestId(id)) {
        exchange.id = givenId(id);
        return;
      }
    }
    exchange.id = heldId ?? this.#requestIds.next();
  }
}

const UNOBSERVED: ExchangeObserver = { exchangeEnded: () => {} };

/** The body of a request that is only explained. */
class EmptyBody implements BodySource {
  #sink: BodySink | undefined;

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  pull(): void {
    this.#sink?.end();
  }

  cancel(): void {}
}
