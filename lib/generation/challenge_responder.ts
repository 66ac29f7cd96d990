/**
 * Responds to the challenges of ACME before the sites of a listener do. A request with a token of no order under way is the
 * sites', so that an upstream may get certificates of its own.
 *
 * @module
 */

import { Delivery } from "../exchange/delivery.ts";
import type { ClientSide, Exchange } from "../exchange/exchange.ts";
import type { Outcome } from "../exchange/exchange_failure.ts";
import type { Responder } from "../exchange/responder.ts";
import { CHALLENGE_PATH } from "../features/redirect_to_https.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import type { Refusal } from "../http/refusal.ts";
import type { Exchanges } from "./exchanges.ts";

/** What stands under a token; undefined where no order under way has it. Never rejects. */
export type FindChallenge = (token: string) => Promise<string | undefined>;

/** The responder of the listener on which authorities look. */
export class ChallengeResponder implements Responder {
  readonly #sites: Responder;
  readonly #exchanges: Exchanges;
  readonly #find: FindChallenge;

  constructor(sites: Responder, exchanges: Exchanges, find: FindChallenge) {
    this.#sites = sites;
    this.#exchanges = exchanges;
    this.#find = find;
  }

  respond(head: RequestHead, client: ClientSide, held?: Exchange): HttpResponse | Promise<HttpResponse> {
    if (!head.path.startsWith(CHALLENGE_PATH)) return this.#sites.respond(head, client, held);
    return this.#respond(head, client, held);
  }

  refuse(head: RequestHead, client: ClientSide, refusal: Refusal, held?: Exchange): HttpResponse {
    return this.#sites.refuse(head, client, refusal, held);
  }

  hold(head: RequestHead, client: ClientSide): Exchange {
    return this.#sites.hold(head, client);
  }

  release(exchange: Exchange, outcome: Outcome): HttpResponse {
    return this.#sites.release(exchange, outcome);
  }

  async #respond(head: RequestHead, client: ClientSide, held: Exchange | undefined): Promise<HttpResponse> {
    const text = await this.#find(head.path.slice(CHALLENGE_PATH.length));
    if (text === undefined) return await this.#sites.respond(head, client, held);
    client.body?.cancel("A challenge needs no body");
    const exchange = held === undefined
      ? this.#exchanges.begin(head, client, undefined)
      : this.#exchanges.resume(held, head, client, undefined);
    const body = new TextEncoder().encode(text);
    // RFC 8555, section 8.3.
    const headers = ["content-type", "application/octet-stream", "content-length", String(body.length)];
    return CHALLENGES.deliver(exchange, { status: 200, headers, body });
  }
}

const CHALLENGES = new Delivery([], undefined);
