/**
 * Responds to the requests of one listener: finds the site by host, and begins the exchange.
 *
 * @module
 */

import { Delivery } from "../exchange/delivery.ts";
import type { ClientSide, Exchange } from "../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../exchange/exchange_failure.ts";
import type { Responder } from "../exchange/responder.ts";
import type { RouteMetrics } from "../exchange/route_metrics.ts";
import { RequestIdField } from "../features/request_id.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import { Refusal } from "../http/refusal.ts";
import { misdirected } from "../listener/tls/server_session.ts";
import type { ClientAuth } from "../listener/tls/tls_policy.ts";
import type { SiteTable } from "../routing/site_table.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Site } from "./site.ts";

/** The responder of the sites of one listener. */
export class SiteResponder implements Responder {
  readonly #sites: SiteTable<Site>;
  readonly #exchanges: Exchanges;
  readonly #refused: RouteMetrics | undefined;
  readonly #clientAuth: ReadonlyMap<Site, ClientAuth> | undefined;

  /**
   * @param refused Counts requests that are refused before a site takes them; undefined where no metrics are kept.
   * @param clientAuth Sites whose clients are asked for a certificate; undefined where no site's are.
   */
  constructor(
    sites: SiteTable<Site>,
    exchanges: Exchanges,
    refused: RouteMetrics | undefined,
    clientAuth?: ReadonlyMap<Site, ClientAuth>,
  ) {
    this.#sites = sites;
    this.#exchanges = exchanges;
    this.#refused = refused;
    this.#clientAuth = clientAuth;
  }

  respond(head: RequestHead, client: ClientSide, held?: Exchange): HttpResponse | Promise<HttpResponse> {
    const site = this.#sites.find(head.host);
    const clientAuth = this.#clientAuth?.get(site);
    if (clientAuth !== undefined && misdirected(clientAuth, client.tls)) {
      return this.refuse(head, client, MISDIRECTED, held);
    }
    return site.respond(this.#begun(held, head, client, site));
  }

  refuse(head: RequestHead, client: ClientSide, { status, cause }: Refusal, held?: Exchange): HttpResponse {
    const site = this.#named(head);
    const exchange = this.#begun(held, head, client, undefined);
    this.#countRefused(exchange, site);
    const failure = new ExchangeFailure(status, cause, { owner: "client" });
    return (site?.delivery ?? SITELESS).refuse(exchange, failure);
  }

  hold(head: RequestHead, client: ClientSide): Exchange {
    const exchange = this.#exchanges.begin(head, client, this.#named(head));
    exchange.held = true;
    return exchange;
  }

  release(exchange: Exchange, outcome: Outcome): HttpResponse {
    const site = this.#named(exchange.head);
    const delivery = exchange.delivery ?? site?.delivery ?? SITELESS;
    // Middleware responded without calling the handler.
    if (exchange.delivery === undefined && exchange.site === "") {
      if (site === undefined) this.#countRefused(exchange, site);
      else site.claim(exchange);
    }
    if (!(outcome instanceof ExchangeFailure)) return delivery.release(exchange, outcome);
    return delivery.release(exchange, delivery.fail(exchange, outcome));
  }

  /** The site of a head that names a host; a head that could not be read names none. */
  #named({ host }: RequestHead): Site | undefined {
    return host === "" ? undefined : this.#sites.find(host);
  }

  #begun(held: Exchange | undefined, head: RequestHead, client: ClientSide, site: Site | undefined): Exchange {
    return held === undefined
      ? this.#exchanges.begin(head, client, site)
      : this.#exchanges.resume(held, head, client, site);
  }

  #countRefused(exchange: Exchange, site: Site | undefined): void {
    exchange.metrics = this.#refused;
    this.#refused?.began();
    if (site !== undefined) exchange.site = site.config.name;
  }
}

const MISDIRECTED = new Refusal(421, "The site asks for a client certificate, and the connection was made without");

/** Delivers responses to requests that have no site. */
const SITELESS = new Delivery([new RequestIdField("x-request-id")], undefined);
