/**
 * Converts the `Request` of the runtime or of an embedding program, and the response of BWS to a `Response`.
 *
 * @module
 */

import type { BodySource } from "../../http/body.ts";
import { headerValue } from "../../http/header_lines.ts";
import type { HeaderLines, HttpResponse, ResponseBody, Upgrade } from "../../http/message.ts";
import { tracing } from "../../telemetry/tracing.ts";
import { Refusal } from "../../http/refusal.ts";
import { streamOf } from "./body_stream.ts";
import { RuntimeClient } from "./runtime_client.ts";
import type { Uploads } from "./uploads.ts";
import { type ConnectionInfo, type Entry, readRequest, refusedHead } from "./request_reader.ts";

/**
 * Responds to `request`. Never throws and never rejects.
 *
 * @param uploads Gets the request's body while it is read.
 */
export function respond(
  request: Request,
  info: ConnectionInfo | undefined,
  entry: Entry,
  uploads?: Uploads,
): Response | Promise<Response> {
  // In another program, the span of the server belongs to that program.
  if (tracing !== undefined && entry.ownPort) tracing.replaceServerSpan();
  const head = readRequest(request, info, entry);
  const client = new RuntimeClient(request, entry.ownPort, uploads);
  if (head instanceof Refusal) {
    return toResponse(entry.responder.refuse(refusedHead(request, info, entry), client, head), request, entry.ownPort);
  }
  const response = entry.responder.respond(head, client);
  return response instanceof Promise
    ? response.then((late) => toResponse(late, request, entry.ownPort))
    : toResponse(response, request, entry.ownPort);
}

/**
 * The `Response` of a response of BWS.
 *
 * @param ownPort Whether the request arrived on a port of BWS, so that only the runtime holds pieces of the body.
 */
export function toResponse(made: HttpResponse, request: Request, ownPort: boolean): Response {
  const { status, headers, body, upgrade } = made;
  if (upgrade !== undefined) return upgraded(request, headers, upgrade, ownPort);
  const bodiless = status === 204 || status === 205 || status === 304;
  const content = bodiless
    ? null
    : contentOf(body, ownPort) ?? (request.method === "HEAD" ? lengthless(headers) : null);
  // Without options the constructor is faster.
  const response = status === 200 ? new Response(content) : new Response(content, { status });
  // On a port of BWS the runtime writes Content-Length of a complete body itself; each line less saves 0.7 µs.
  const framed = ownPort && body instanceof Uint8Array && !bodiless;
  const lines = response.headers;
  // Appending is several times as fast as a list for the constructor.
  for (let i = 0; i < headers.length; i += 2) {
    if (framed && headers[i] === "content-length") continue;
    lines.append(headers[i], headers[i + 1]);
  }
  return response;
}

function contentOf(
  body: ResponseBody,
  own: boolean,
): Exclude<ResponseBody, BodySource> | ReadableStream<Uint8Array<ArrayBuffer>> {
  return body === null || body instanceof Uint8Array ? body : streamOf(body, own);
}

// The runtime sends Content-Length: 0 with a response to HEAD that has neither a length nor a body, although the response to
// GET has a body (RFC 9110, section 8.6). With a stream it sends no length.
function lengthless(headers: HeaderLines): ReadableStream<Uint8Array<ArrayBuffer>> | null {
  if (headerValue(headers, "content-length") !== undefined) return null;
  return new ReadableStream({ start: (controller) => controller.close() });
}

// The runtime's own response must be returned: no other can have status 101.
function upgraded(request: Request, headers: HeaderLines, upgrade: Upgrade, ownPort: boolean): Response {
  let made: Deno.WebSocketUpgrade;
  try {
    made = Deno.upgradeWebSocket(request, { idleTimeout: upgrade.idleTimeoutSeconds });
  } catch (error) {
    return toResponse(upgrade.fail(error instanceof Error ? error.message : String(error)), request, ownPort);
  }
  const { response, socket } = made;
  for (let i = 0; i < headers.length; i += 2) response.headers.append(headers[i], headers[i + 1]);
  upgrade.begin(socket);
  return response;
}
