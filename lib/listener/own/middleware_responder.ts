/**
 * Middleware in front of the responder of BWS's own listener: each request gets its web form for it.
 *
 * @module
 */

import type { ClientSide, Exchange } from "../../exchange/exchange.ts";
import type { Outcome } from "../../exchange/exchange_failure.ts";
import type { Responder } from "../../exchange/responder.ts";
import type { BodySource } from "../../http/body.ts";
import type { HttpResponse, RequestHead } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import { CLIENT_LEFT, type HeldRequestEdge, type Middleware, type ReadHead, respondThrough } from "../middleware.ts";
import { toResponse } from "../runtime/adapter.ts";
import { streamOf } from "../runtime/body_stream.ts";
import { type ConnectionInfo, readRequest, refusedHead } from "../runtime/request_reader.ts";
import { StreamSource } from "../runtime/stream_source.ts";

/** Responds through middleware. */
export class MiddlewareResponder implements Responder {
  readonly #responder: Responder;
  readonly #middleware: readonly Middleware[];

  /** @param middleware The outermost first. */
  constructor(responder: Responder, middleware: readonly Middleware[]) {
    this.#responder = responder;
    this.#middleware = middleware;
  }

  respond(head: RequestHead, client: ClientSide): HttpResponse | Promise<HttpResponse> {
    const form = webRequestOf(head, client);
    if (form instanceof Refusal) return this.#responder.refuse(head, client, form);
    return respondThrough(this.#middleware, form.request, new ParsedRequestEdge(form, this.#responder));
  }

  /** Requests that cannot be read have no web form: middleware does not see them. */
  refuse(head: RequestHead, client: ClientSide, refusal: Refusal, held?: Exchange): HttpResponse {
    return this.#responder.refuse(head, client, refusal, held);
  }

  hold(head: RequestHead, client: ClientSide): Exchange {
    return this.#responder.hold(head, client);
  }

  release(held: Exchange, outcome: Outcome): HttpResponse {
    return this.#responder.release(held, outcome);
  }
}

/** A request in both forms. */
interface WebForm {
  readonly request: Request;
  /** The URL of copies that middleware makes of the request: the constructor of `Request` resolves dot segments. */
  readonly copiedUrl: string;
  readonly head: RequestHead;
  readonly client: ClientSide;
}

function webRequestOf(head: RequestHead, client: ClientSide): WebForm | Refusal {
  const { method, path, query, authority, scheme, headers } = head;
  const { body } = client;
  // `Request` has no such bodies, and drops the method of a copy that pretends to be another one.
  if (body !== null && (method === "GET" || method === "HEAD")) {
    return new Refusal(501, `Middleware cannot be given a ${method} with a body`);
  }
  // HTTP/1.0 need not name a host.
  const url = `${scheme}://${authority === "" ? "localhost" : authority}${path}${query}`;
  let request: Request;
  try {
    request = new Request(url, {
      method,
      headers: pairs(headers),
      signal: client.signal,
      ...(body === null ? {} : { body: streamOf(body, false), duplex: "half" }),
    });
  } catch (error) {
    return new Refusal(
      501,
      `Middleware cannot be given the request: ${error instanceof Error ? error.message : error}`,
    );
  }
  const copiedUrl = request.url;
  // As the client sent them, as the runtime's server gives them.
  Object.defineProperty(request, "url", { value: url });
  Object.defineProperty(request, "method", { value: method });
  return { request, copiedUrl, head, client };
}

function pairs(lines: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i < lines.length; i += 2) found.push([lines[i], lines[i + 1]]);
  return found;
}

class ParsedRequestEdge implements HeldRequestEdge<HttpResponse> {
  readonly info: ConnectionInfo;
  upgrading = false;
  readonly #form: WebForm;
  readonly #responder: Responder;

  constructor(form: WebForm, responder: Responder) {
    this.#form = form;
    this.#responder = responder;
    const { address: hostname, port } = form.head.peer;
    this.info = { remoteAddr: { transport: "tcp", hostname, port } };
  }

  responderOf(): Responder {
    return this.#responder;
  }

  read(request: Request): ReadHead {
    const { head, request: first, copiedUrl } = this.#form;
    if (request === first) return { head };
    if (request.url === copiedUrl) Object.defineProperty(request, "url", { value: first.url });
    const entry = { ownPort: false, scheme: head.scheme };
    const found = readRequest(request, this.info, entry);
    return found instanceof Refusal
      ? { head: refusedHead(request, this.info, entry), refusal: found }
      : { head: found };
  }

  clientOf(request: Request): ClientSide {
    return new PassedClient(request, this.#form.client);
  }

  shown(inside: HttpResponse, request: Request, first: boolean): Response {
    const { upgrade, headers } = inside;
    if (upgrade === undefined) return toResponse(inside, request, false);
    if (!first) return toResponse(upgrade.fail("it was upgraded by another response already"), request, false);
    this.upgrading = true;
    const response = toResponse({ status: 200, headers, body: null }, request, false);
    // No constructor makes a response of status 101.
    Object.defineProperty(response, "status", { value: 101 });
    return response;
  }

  upgraded({ headers }: Response, inside: HttpResponse | undefined): HttpResponse | undefined {
    return inside === undefined ? undefined : { ...inside, headers: [...headers].flat() };
  }

  // Nothing has been sent: any response can be.
  notUpgraded({ upgrade }: HttpResponse): undefined {
    if (this.upgrading) upgrade?.fail("middleware returned another response");
    this.upgrading = false;
  }

  sent(made: HttpResponse): HttpResponse {
    return made;
  }

  discard({ body, upgrade }: HttpResponse): void {
    if (body !== null && !(body instanceof Uint8Array)) body.cancel(CLIENT_LEFT.cause);
    upgrade?.fail("the client left");
  }
}

/** The client of a request that middleware passes on, whose body middleware may have changed. */
class PassedClient implements ClientSide {
  readonly tunnels: boolean;
  readonly inform: ClientSide["inform"];
  readonly local: ClientSide["local"];
  readonly #request: Request;

  constructor(request: Request, client: ClientSide) {
    this.#request = request;
    this.tunnels = client.tunnels === true;
    this.local = client.local;
    if (client.inform !== undefined) this.inform = (...of) => client.inform?.(...of);
  }

  get body(): BodySource | null {
    const { body } = this.#request;
    return body === null ? null : new StreamSource(body, "shared");
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
