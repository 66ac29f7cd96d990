/**
 * Middleware around exchanges: it sees each request as the runtime gives it before BWS does, and the response after. The
 * exchange ends with what middleware returns, so that a response of its own is in the log and in the metrics like any other.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, failureOf, type Outcome } from "../../exchange/exchange_failure.ts";
import type { HttpResponse } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import { tracing } from "../../telemetry/tracing.ts";
import { respond, toResponse } from "./adapter.ts";
import { type ConnectionInfo, type Entry, readRequest, refusedHead } from "./request_reader.ts";
import { RuntimeClient } from "./runtime_client.ts";
import { StreamSource } from "./stream_source.ts";
import type { Uploads } from "./uploads.ts";
import { wholeAtOnce } from "./whole_stream.ts";

/** Sees a request before BWS does and its response after, and may change or replace either. */
export type Middleware = (
  request: Request,
  next: (request: Request) => Promise<Response>,
  info: ConnectionInfo | undefined,
) => Response | Promise<Response>;

/** What a request comes with. */
export interface Arrival {
  /** What is known of its connection. */
  readonly info: ConnectionInfo | undefined;
  /** Where a request for a URL comes in. */
  readonly entryOf: (url: string) => Entry;
  /** Where its body is noted while it is read. */
  readonly uploads?: Uploads;
}

/** Responds to `request` through `middleware`, the outermost first. Never throws and never rejects. */
export async function respondThrough(
  middleware: readonly Middleware[],
  request: Request,
  arrival: Arrival,
): Promise<Response> {
  const entry = arrival.entryOf(request.url);
  if (tracing !== undefined && entry.ownPort) tracing.replaceServerSpan();
  const held = new HeldRequest(request, entry, arrival);
  const call = async (index: number, passed: Request): Promise<Response> => {
    if (index === middleware.length) return await held.respond(passed);
    const returned = await middleware[index](passed, (changed) => call(index + 1, changed), arrival.info);
    if (returned instanceof Response) return returned;
    throw new TypeError(`Middleware ${index + 1} returned ${typeof returned}, expected a Response`);
  };
  const finished = call(0, request).then((returned) => held.finish(returned), (error) => held.fail(failureOf(error)));
  return await Promise.race([finished, abandoned(request, finished, held)]);
}

/**
 * Ends the exchange of a client that has disconnected while middleware has its request, for middleware that does not return.
 * What it returns later is discarded.
 */
function abandoned(request: Request, finished: Promise<Response>, held: HeldRequest): Promise<Response> {
  const { signal } = request;
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      timer = setTimeout(() => {
        resolve(held.fail(CLIENT_LEFT));
        // Nobody reads what middleware returns after that.
        finished.then(({ body }) => body?.cancel(CLIENT_LEFT.cause)).catch(() => {});
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
const CLIENT_LEFT = new ExchangeFailure(499, "The client left while middleware had its request", { owner: "client" });

/** A request that middleware has, with its exchange. */
class HeldRequest {
  readonly #request: Request;
  readonly #entry: Entry;
  readonly #arrival: Arrival;
  readonly #exchange: Exchange;
  /** What BWS made of the request; undefined while it has not been asked. */
  #made: { readonly response: Response; readonly inside: HttpResponse } | undefined;
  #asked = false;
  /** The client's side of a WebSocket, once the runtime has upgraded the request. */
  #socket: WebSocket | undefined;

  constructor(request: Request, entry: Entry, arrival: Arrival) {
    this.#request = request;
    this.#entry = entry;
    this.#arrival = arrival;
    const head = readRequest(request, arrival.info, entry);
    const known = head instanceof Refusal ? refusedHead(request, arrival.info, entry) : head;
    this.#exchange = entry.responder.hold(known, new RuntimeClient(request, false, arrival.uploads));
  }

  /** The response of BWS. The first time it is that of this exchange; each further time is an exchange of its own. */
  async respond(passed: Request): Promise<Response> {
    const { info, entryOf, uploads } = this.#arrival;
    // Middleware may hold pieces of bodies.
    const entry = { ...entryOf(passed.url), ownPort: false };
    if (this.#asked) return await respond(passed, info, entry);
    this.#asked = true;
    const head = readRequest(passed, info, passed === this.#request ? this.#entry : entry);
    const client = new RuntimeClient(passed, false, uploads);
    const { responder } = entry;
    const inside = head instanceof Refusal
      ? responder.refuse(refusedHead(passed, info, entry), client, head, this.#exchange)
      : await responder.respond(head, client, this.#exchange);
    const response = toResponse(this.#noting(inside), passed, false);
    this.#made = { response, inside };
    return response;
  }

  /** Delivers what middleware returned. */
  async finish(returned: Response): Promise<Response> {
    const made = this.#made;
    if (made !== undefined && this.#socket !== undefined) {
      // The WebSocket ends the exchange.
      if (made.response === returned) return returned;
      return this.fail(new ExchangeFailure(500, "Middleware returned a response of its own in place of a WebSocket's"));
    }
    if (returned.status === 101) {
      this.#entry.responder.release(this.#exchange, { status: 101, headers: [], body: null });
      return returned;
    }
    if (returned.status < 200) return this.fail(new ExchangeFailure(502, "Middleware returned a network error"));
    const { method } = this.#request;
    if (method !== "HEAD" && (returned.bodyUsed || returned.body?.locked === true)) {
      return this.fail(new ExchangeFailure(500, "Middleware returned a response whose body it had read"));
    }
    const unchanged = made?.response === returned && made.inside.body instanceof Uint8Array;
    const body = unchanged ? made.inside.body : await bodyOf(returned, method);
    // Where a stream is returned, that may be going to read the body of BWS's response.
    if (body === null || body instanceof Uint8Array) this.#letGo();
    return this.#deliver({ status: returned.status, headers: [...returned.headers].flat(), body });
  }

  /** Delivers a failure. */
  fail(failure: ExchangeFailure): Response {
    const socket = this.#socket;
    if (socket === undefined || this.#made === undefined) {
      this.#letGo();
      return this.#deliver(failure);
    }
    // The runtime gives its port up when a request that it has upgraded gets any other response.
    this.#exchange.failed(failure.cause, failure.owner);
    socket.addEventListener("open", () => socket.close(INTERNAL_ERROR));
    return this.#made.response;
  }

  #noting(inside: HttpResponse): HttpResponse {
    const { upgrade } = inside;
    if (upgrade === undefined) return inside;
    const begin = (socket: WebSocket) => {
      this.#socket = socket;
      upgrade.begin(socket);
    };
    return { ...inside, upgrade: { ...upgrade, begin } };
  }

  // Nobody reads the response of BWS.
  #letGo(): void {
    const body = this.#made?.response.body ?? null;
    if (body !== null && !body.locked) body.cancel("Middleware returned another response").catch(() => {});
  }

  #deliver(outcome: Outcome): Response {
    const { responder, ownPort } = this.#entry;
    return toResponse(responder.release(this.#exchange, outcome), this.#request, ownPort);
  }
}

/** The close code of a server that failed (RFC 6455, section 7.4.1). */
const INTERNAL_ERROR = 1011;

async function bodyOf({ body }: Response, method: string): Promise<HttpResponse["body"]> {
  if (body === null || method === "HEAD") return null;
  const { whole, rest } = await wholeAtOnce(body as ReadableStream<Uint8Array<ArrayBuffer>>);
  return rest === undefined ? whole : new StreamSource(rest, "shared");
}
