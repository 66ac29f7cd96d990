/**
 * Middleware around exchanges: it sees each request in its web form before BWS does, and the response after. The exchange
 * ends with what middleware returns, so that a response of its own is in the log and in the metrics like any other.
 *
 * @module
 */

import type { ClientSide, Exchange } from "../exchange/exchange.ts";
import { ExchangeFailure, failureOf, type Outcome } from "../exchange/exchange_failure.ts";
import type { Responder } from "../exchange/responder.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import type { Refusal } from "../http/refusal.ts";
import { unseenWork } from "../state/unseen_work.ts";
import type { ConnectionInfo } from "./runtime/request_reader.ts";
import { StreamSource } from "./runtime/stream_source.ts";
import { wholeAtOnce } from "./runtime/whole_stream.ts";

/** Sees a request before BWS does and its response after, and may change or replace either. */
export type Middleware = (
  request: Request,
  next: (request: Request) => Promise<Response>,
  info: ConnectionInfo | undefined,
) => Response | Promise<Response>;

/** The head of a request as far as it could be read, and why the request is refused, if it is. */
export interface ReadHead {
  readonly head: RequestHead;
  readonly refusal?: Refusal;
}

/** The listener's side of one request that middleware has. `R` is what the listener sends to the client. */
export interface HeldRequestEdge<R> {
  /** What is known of the connection. */
  readonly info: ConnectionInfo | undefined;
  /** Who responds to a request. */
  responderOf(request: Request): Responder;
  /** The head of the request that came, or of one that middleware passes on. */
  read(request: Request): ReadHead;
  /** The client, as the exchange of such a request sees it. */
  clientOf(request: Request): ClientSide;
  /**
   * The response of BWS to `request`, for middleware.
   *
   * @param first Whether it is that of the held exchange, the only one that may become a WebSocket.
   */
  shown(inside: HttpResponse, request: Request, first: boolean): Response;
  /** Whether the first response that was {@linkcode shown} makes the connection a WebSocket. */
  readonly upgrading: boolean;
  /**
   * What goes to the client where middleware returns a response of status 101.
   *
   * @param inside The response of BWS, if it is this one.
   * @returns undefined where the listener cannot send it.
   */
  upgraded(returned: Response, inside: HttpResponse | undefined): R | undefined;
  /**
   * Middleware has returned another response than that of a WebSocket, or failed after it.
   *
   * @returns What goes to the client all the same; undefined where any response can be sent.
   */
  notUpgraded(inside: HttpResponse): R | undefined;
  /** What goes to the client. */
  sent(made: HttpResponse): R;
  /** Nobody takes what was {@linkcode sent}. */
  discard(sent: R): void;
}

/** Responds to `request` through `middleware`, the outermost first. Never rejects. */
export async function respondThrough<R>(
  middleware: readonly Middleware[],
  request: Request,
  edge: HeldRequestEdge<R>,
): Promise<R> {
  const held = new HeldRequest(request, edge);
  const call = async (index: number, passed: Request): Promise<Response> => {
    if (index === middleware.length) return await held.respond(passed);
    const returned = await middleware[index](passed, (changed) => call(index + 1, changed), edge.info);
    if (returned instanceof Response) return returned;
    throw new TypeError(`Middleware ${index + 1} returned ${typeof returned}, expected a Response`);
  };
  unseenWork.pending++;
  const finished = call(0, request).then((response) => {
    unseenWork.pending--;
    return held.finish(response);
  }, (error) => {
    unseenWork.pending--;
    return held.fail(failureOf(error));
  });
  return await Promise.race([finished, abandoned(request, { finished, held, edge })]);
}

/**
 * Ends the exchange of a client that has disconnected while middleware has its request, for middleware that does not return.
 * What it returns later is discarded.
 */
function abandoned<R>(
  { signal }: Request,
  { finished, held, edge }: { finished: Promise<R>; held: HeldRequest<R>; edge: HeldRequestEdge<R> },
): Promise<R> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      timer = setTimeout(() => {
        resolve(held.fail(CLIENT_LEFT));
        // Nobody reads what middleware returns after that.
        finished.then((late) => edge.discard(late)).catch(() => {});
      }, ABANDONED_MS);
    };
    signal.addEventListener("abort", watch, { once: true });
    const forget = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", watch);
    };
    finished.then(forget, forget);
  });
}

/** Time in which middleware may return after its client has disconnected: what it called knows of that, too. */
const ABANDONED_MS = 1000;
/** The failure of a request whose client has left. */
export const CLIENT_LEFT = new ExchangeFailure(499, "The client left while middleware had its request", {
  owner: "client",
});

/** A request that middleware has, with its exchange. */
class HeldRequest<R> {
  readonly #request: Request;
  readonly #edge: HeldRequestEdge<R>;
  readonly #responder: Responder;
  readonly #exchange: Exchange;
  /** What BWS made of the request; undefined while it has not been asked. */
  #made: { readonly response: Response; readonly inside: HttpResponse } | undefined;
  #asked = false;

  constructor(request: Request, edge: HeldRequestEdge<R>) {
    this.#request = request;
    this.#edge = edge;
    this.#responder = edge.responderOf(request);
    this.#exchange = this.#responder.hold(edge.read(request).head, edge.clientOf(request));
  }

  /** The response of BWS. The first time it is that of this exchange; each further time is an exchange of its own. */
  async respond(passed: Request): Promise<Response> {
    const edge = this.#edge;
    const first = !this.#asked;
    this.#asked = true;
    const responder = edge.responderOf(passed);
    const exchange = first ? this.#exchange : undefined;
    const client = edge.clientOf(passed);
    const { head, refusal } = edge.read(passed);
    const inside = refusal === undefined
      ? await responder.respond(head, client, exchange)
      : responder.refuse(head, client, refusal, exchange);
    const response = edge.shown(inside, passed, first);
    if (first) this.#made = { response, inside };
    return response;
  }

  /** Delivers what middleware returned. */
  async finish(returned: Response): Promise<R> {
    const edge = this.#edge;
    const made = this.#made;
    const isOwn = made?.response === returned;
    if (made !== undefined && edge.upgrading && !isOwn) {
      const sent = edge.notUpgraded(made.inside);
      if (sent !== undefined) {
        this.#exchange.failed("Middleware returned a response of its own in place of a WebSocket's", "proxy");
        return sent;
      }
    }
    if (returned.status === 101) {
      const sent = edge.upgraded(returned, isOwn ? made?.inside : undefined);
      if (sent === undefined) return this.fail(new ExchangeFailure(502, "Middleware upgraded the connection itself"));
      // The WebSocket of BWS ends the exchange.
      if (!isOwn) this.#responder.release(this.#exchange, { status: 101, headers: [], body: null });
      return sent;
    }
    if (returned.status < 200) return this.fail(new ExchangeFailure(502, "Middleware returned a network error"));
    const { method } = this.#request;
    if (method !== "HEAD" && (returned.bodyUsed || returned.body?.locked === true)) {
      return this.fail(new ExchangeFailure(500, "Middleware returned a response whose body it had read"));
    }
    const unchanged = isOwn && made?.inside.body instanceof Uint8Array;
    const body = unchanged ? made.inside.body : await bodyOf(returned, method);
    // Where a stream is returned, that may be going to read the body of BWS's response.
    if (body === null || body instanceof Uint8Array) this.#letGo();
    return this.#deliver({ status: returned.status, headers: [...returned.headers].flat(), body });
  }

  /** Delivers a failure. */
  fail(failure: ExchangeFailure): R {
    const made = this.#made;
    if (made !== undefined && this.#edge.upgrading) {
      const sent = this.#edge.notUpgraded(made.inside);
      if (sent !== undefined) {
        this.#exchange.failed(failure.cause, failure.owner);
        return sent;
      }
    }
    this.#letGo();
    return this.#deliver(failure);
  }

  // Nobody reads the response of BWS.
  #letGo(): void {
    const body = this.#made?.response.body ?? null;
    if (body !== null && !body.locked) body.cancel("Middleware returned another response").catch(() => {});
  }

  #deliver(outcome: Outcome): R {
    return this.#edge.sent(this.#responder.release(this.#exchange, outcome));
  }
}

async function bodyOf({ body }: Response, method: string): Promise<HttpResponse["body"]> {
  if (body === null || method === "HEAD") return null;
  const { whole, rest } = await wholeAtOnce(body as ReadableStream<Uint8Array<ArrayBuffer>>);
  return rest === undefined ? whole : new StreamSource(rest, "shared");
}
