/**
 * The client as a trusted proxy reports it: in X-Forwarded-*, in Forwarded (RFC 7239), or in X-Real-IP. These fields
 * are read in one place, so that all fields sent to the upstream agree.
 *
 * @module
 */

import type { ProxyTrust } from "./client_address.ts";
import { type ForwardedElement, forwardedElement, forwardedNode, nodeAddress, parseForwarded } from "./forwarded.ts";

/** A client as reported by trusted proxies. */
export interface ForwardedClient {
  /** The client's address: the last one in the chain of proxies that is not a trusted proxy. */
  readonly address: string;
  /** X-Forwarded-For, without the peer's own address; undefined if no address was reported. */
  readonly forwardedFor: string | undefined;
  /** Elements of Forwarded, without the peer's own; undefined if there are none. */
  readonly forwarded: string | undefined;
  /** Scheme that the client uses. */
  readonly proto: string | undefined;
  /** Host that the client requested. */
  readonly host: string | undefined;
  /** Port that the client connected to. */
  readonly port: string | undefined;
  /** Path prefix that earlier proxies have removed. */
  readonly prefix: string | undefined;
  /** The fields as received, by their lower-case names. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Fields in which proxies report clients, in lower case. */
export const FORWARDING_FIELDS: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-real-ip",
  "forwarded",
]);

/**
 * Reads what the trusted peer at `peer` reports. X-Forwarded-* takes precedence over Forwarded: a proxy that writes
 * only the former may pass on a Forwarded that its client forged.
 *
 * @param headers Header lines with names in lower case.
 */
export function readForwardedClient(headers: readonly string[], peer: string, trust: ProxyTrust): ForwardedClient {
  const fields = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (!FORWARDING_FIELDS.has(name)) continue;
    const previous = fields.get(name);
    fields.set(name, previous === undefined ? headers[i + 1] : `${previous}, ${headers[i + 1]}`);
  }
  const raw = fields.get("forwarded");
  const elements = raw === undefined ? undefined : parseForwarded(raw);
  const byX = fields.has("x-forwarded-for") || fields.has("x-forwarded-proto") || fields.has("x-forwarded-host");
  const common = { prefix: fields.get("x-forwarded-prefix"), fields };
  if (!byX && elements !== undefined && elements.length > 0) {
    return { ...byElements(elements, peer, trust), forwarded: raw, port: fields.get("x-forwarded-port"), ...common };
  }
  const realIp = nodeAddress(fields.get("x-real-ip") ?? "");
  const forwardedFor = fields.get("x-forwarded-for") ?? realIp;
  const address = forwardedFor === undefined ? peer : trust.clientAddress(peer, forwardedFor);
  const proto = fields.get("x-forwarded-proto");
  const host = fields.get("x-forwarded-host");
  // A Forwarded that agrees with the result is passed on unchanged.
  const agrees = elements !== undefined && byElements(elements, peer, trust).address === address;
  const forwarded = agrees ? raw : forwardedFor && chainOf(forwardedFor, { address, proto, host });
  return { address, forwardedFor, forwarded, proto, host, port: fields.get("x-forwarded-port"), ...common };
}

/** The first member of a value that may be a list: the entry about the client. */
export function firstMember(value: string): string {
  const comma = value.indexOf(",");
  return (comma < 0 ? value : value.slice(0, comma)).trim();
}

function byElements(elements: readonly ForwardedElement[], peer: string, trust: ProxyTrust) {
  const nodes = elements.map((element) => element.for === undefined ? undefined : nodeAddress(element.for));
  let address = peer;
  let proto: string | undefined;
  let host: string | undefined;
  // Each element was written by the node that the next element names, so it counts as long as those nodes are trusted.
  for (let i = elements.length - 1; i >= 0; i--) {
    proto = elements[i].proto ?? proto;
    host = elements[i].host ?? host;
    const node = nodes[i];
    if (node === undefined) break;
    address = node;
    if (!trust.trusts(node)) break;
  }
  const forwardedFor = elements.every((element) => element.for === undefined)
    ? undefined
    : nodes.map((node) => node ?? "unknown").join(", ");
  return { address, forwardedFor, proto, host };
}

// X-Forwarded-For as elements of Forwarded; the client's own element has its scheme and host.
function chainOf(forwardedFor: string, client: Pick<ForwardedClient, "address" | "proto" | "host">): string {
  const { address, proto, host } = client;
  let written = false;
  return forwardedFor.split(",").map((entry) => {
    const node = nodeAddress(entry.trim()) ?? "";
    if (written || node !== address) return forwardedNode(node);
    written = true;
    return forwardedElement(node, host && firstMember(host), proto && firstMember(proto));
  }).join(", ");
}
