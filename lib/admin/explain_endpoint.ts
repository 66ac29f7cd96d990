/**
 * The endpoint that explains how the running server would handle a request, without sending it.
 *
 * @module
 */

import { explain } from "../generation/explain.ts";
import { InvalidUrl } from "../generation/located_url.ts";
import { isToken } from "../http/header_lines.ts";
import { isIpAddress } from "../http/ip_address.ts";
import { AdminRefusal, json } from "./admin_response.ts";
import { explanationSchema } from "./explanation_schemas.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Managed } from "./managed.ts";
import type { SnapshotMaker } from "./snapshot_maker.ts";
import { upstreamId } from "./upstream_id.ts";

/** `GET /api/explain`. */
export function explainEndpoint(managed: Managed, maker: SnapshotMaker): Endpoint {
  return {
    ...{ method: "GET", path: "/api/explain", name: "explain" },
    summary:
      "What would become of a request, and why: its site, route, upstreams with their state, or file. Nothing is sent.",
    query: [
      { name: "url", description: "URL of the request, or its path alone.", required: true },
      { name: "method", description: "Its method; GET without one." },
      { name: "header", description: 'A header field of it, "Name: value"; may be repeated.', many: true },
      { name: "client", description: "IP address that it comes from; 127.0.0.1 without one." },
    ],
    responses: { 200: { description: "The explanation.", schema: explanationSchema } },
    handle: async ({ request }) => json(await explained(new URL(request.url).searchParams, managed, maker)),
  };
}

async function explained(query: URLSearchParams, managed: Managed, maker: SnapshotMaker) {
  const url = query.get("url") ?? "";
  if (url === "") throw new AdminRefusal(400, "The query has no url");
  const method = query.get("method") ?? "GET";
  if (!isToken(method)) throw new AdminRefusal(400, `${JSON.stringify(method)} is no method`);
  const client = query.get("client") ?? "127.0.0.1";
  if (!isIpAddress(client)) throw new AdminRefusal(400, `client ${JSON.stringify(client)} is no IP address`);
  const states = new Map(maker.pools().flatMap(({ upstreams }) => upstreams.map(({ id, state }) => [id, state])));
  try {
    return await explain(managed.generation, { method, url, client, headers: headersOf(query.getAll("header")) }, {
      ports: managed.addresses.map(({ port }) => port),
      stateOf: (upstream, { site, pool }) => states.get(upstreamId(site, pool, upstream)) ?? "unknown",
    });
  } catch (error) {
    if (error instanceof InvalidUrl) throw new AdminRefusal(400, error.message);
    throw error;
  }
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    try {
      headers.append(line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim());
    } catch {
      throw new AdminRefusal(
        400,
        `header ${JSON.stringify(line)} is no header field, expected one such as "Accept: */*"`,
      );
    }
  }
  return headers;
}
