/**
 * A request to an upstream: the part that all its attempts have in common.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { RequestHead } from "../../http/message.ts";
import type { HeadWriter } from "../../http1/head_writer.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import type { ForwardPlan } from "./forward.ts";
import { ForwardFailure } from "./forward_failure.ts";
import type { RequestBody } from "./request_body.ts";
import type { UpstreamUpgrade } from "./upstream_upgrade.ts";

/** A request of one exchange. */
export interface UpstreamRequest {
  readonly exchange: Exchange;
  /** How it is forwarded. */
  readonly plan: ForwardPlan;
  /** Path and query, without an upstream's base path. */
  readonly target: string;
  /** The header line of the body's framing, with its CRLF, or empty. */
  readonly framing: string;
  /** undefined when there is no body. */
  readonly body: RequestBody | undefined;
  /** Whether the body was awaited before the first attempt. */
  readonly bodyAwaited: boolean;
  /** The upgrade that is requested; undefined for a plain request. */
  readonly upgrade: UpstreamUpgrade | undefined;
}

/**
 * Path and query of the request to the upstream, without an upstream's base path.
 *
 * @throws {ForwardFailure} When the path would leave the route.
 */
export function upstreamTarget(head: RequestHead, plan: ForwardPlan): string {
  const path = plan.rewrite === undefined ? head.path : plan.rewrite(head.path);
  if (path === undefined) {
    throw new ForwardFailure(400, "The path has dot segments that leave the route", "client");
  }
  // The runtime turns `*`, the server as a whole (RFC 9110, section 9.3.7), into `/*`.
  if (head.method === "OPTIONS" && head.path === "/*" && head.query === "") return ASTERISK;
  return path + head.query;
}

/**
 * Writes the head of the request to `endpoint`.
 *
 * @param upgrade Header lines of the upgrade, each with its CRLF; or empty.
 */
export function writeUpstreamHead(
  out: HeadWriter,
  { exchange, plan, target, framing }: Pick<UpstreamRequest, "exchange" | "plan" | "target" | "framing">,
  endpoint: Endpoint,
  upgrade = "",
): void {
  const host = plan.preserve_host ? exchange.head.authority : endpoint.authority;
  const path = target === ASTERISK ? target : endpoint.basePath + target;
  plan.requestHeaders.write(out, exchange, path, host, framing, plan.forwardedPrefix, upgrade);
}

const ASTERISK = "*";
