/**
 * Requests of the runtime's server, or of a program that calls a handler, that pass through middleware.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import type { Responder } from "../../exchange/responder.ts";
import type { HttpResponse } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import { tracing } from "../../telemetry/tracing.ts";
import { CLIENT_LEFT, type HeldRequestEdge, type Middleware, type ReadHead, respondThrough } from "../middleware.ts";
import { toResponse } from "./adapter.ts";
import { type ConnectionInfo, type Entry, readRequest, refusedHead } from "./request_reader.ts";
import { RuntimeClient } from "./runtime_client.ts";
import type { Uploads } from "./uploads.ts";

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
export function respondToWebRequest(
  middleware: readonly Middleware[],
  request: Request,
  arrival: Arrival,
): Promise<Response> {
  const entry = arrival.entryOf(request.url);
  if (tracing !== undefined && entry.ownPort) tracing.replaceServerSpan();
  return respondThrough(middleware, request, new WebRequestEdge(request, entry, arrival));
}

class WebRequestEdge implements HeldRequestEdge<Response> {
  readonly #request: Request;
  readonly #entry: Entry;
  readonly #arrival: Arrival;
  /** The client's side of a WebSocket, once the runtime has upgraded the request, and the response that must be sent. */
  #socket: WebSocket | undefined;
  #upgrade: Response | undefined;

  constructor(request: Request, entry: Entry, arrival: Arrival) {
    this.#request = request;
    this.#entry = entry;
    this.#arrival = arrival;
  }

  get info(): ConnectionInfo | undefined {
    return this.#arrival.info;
  }

  get upgrading(): boolean {
    return this.#socket !== undefined;
  }

  responderOf(request: Request): Responder {
    return this.#entryOf(request).responder;
  }

  read(request: Request): ReadHead {
    const { info } = this.#arrival;
    const entry = this.#entryOf(request);
    const head = readRequest(request, info, entry);
    return head instanceof Refusal ? { head: refusedHead(request, info, entry), refusal: head } : { head };
  }

  clientOf(request: Request): ClientSide {
    return new RuntimeClient(request, false, this.#arrival.uploads);
  }

  shown(inside: HttpResponse, request: Request, first: boolean): Response {
    const { upgrade } = inside;
    if (upgrade === undefined || !first) return toResponse(inside, request, false);
    const begin = (socket: WebSocket) => {
      this.#socket = socket;
      upgrade.begin(socket);
    };
    return this.#upgrade = toResponse({ ...inside, upgrade: { ...upgrade, begin } }, request, false);
  }

  upgraded(returned: Response): Response {
    return returned;
  }

  // The runtime gives its port up when a request that it has upgraded gets any other response.
  notUpgraded(): Response | undefined {
    const socket = this.#socket;
    socket?.addEventListener("open", () => socket.close(INTERNAL_ERROR));
    return this.#upgrade;
  }

  sent(made: HttpResponse): Response {
    return toResponse(made, this.#request, this.#entry.ownPort);
  }

  discard({ body }: Response): void {
    body?.cancel(CLIENT_LEFT.cause).catch(() => {});
  }

  #entryOf(request: Request): Entry {
    // Middleware may hold pieces of bodies.
    return request === this.#request ? this.#entry : { ...this.#arrival.entryOf(request.url), ownPort: false };
  }
}

/** The close code of a server that failed (RFC 6455, section 7.4.1). */
const INTERNAL_ERROR = 1011;
