/**
 * What a trusted proxy says of the client that it serves: in X-Forwarded-*, in Forwarded (RFC 7239), or in X-Real-IP. One
 * reading for all that depends on it, so that everything that goes upstream agrees.
 *
 * @module
 */

import type { ProxyTrust } from "./client_address.ts";
import { type ForwardedElement, forwardedElement, forwardedNode, nodeAddress, parseForwarded } from "./forwarded.ts";

/** What is believed of a client. */
export interface ToldClient {
  /** The client's address: the last one on the way here that is no trusted proxy's. */
  readonly address: string;
  /** X-Forwarded-For up to the peer, which is not in it; undefined when no address was told. */
  readonly forwardedFor: string | undefined;
  /** Elements of Forwarded up to the peer's own; undefined when there are none. */
  readonly forwarded: string | undefined;
  /** Scheme that the client uses, as it was told. */
  readonly proto: string | undefined;
  /** Host that the client asked for. */
  readonly host: string | undefined;
  /** Port that the client asked. */
  readonly port: string | undefined;
  /** Path that the proxies before have taken away. */
  readonly prefix: string | undefined;
  /** The fields as they came, by their lower-case names. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Fields in which proxies tell of clients, in lower case. */
export const TOLD_FIELDS: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-real-ip",
  "forwarded",
]);

/**
 * Reads what the trusted peer at `peer` tells. X-Forwarded-* counts before Forwarded: a proxy that writes the former alone
 * may pass on a Forwarded that its client made up.
 *
 * @param headers Header lines with names in lower case.
 */
export function readTold(headers: readonly string[], peer: string, trust: ProxyTrust): ToldClient {
  const fields = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (!TOLD_FIELDS.has(name)) continue;
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
  // A Forwarded that says the same goes on as it came.
  const agrees = elements !== undefined && byElements(elements, peer, trust).address === address;
  const forwarded = agrees ? raw : forwardedFor && chainOf(forwardedFor, { address, proto, host });
  return { address, forwardedFor, forwarded, proto, host, port: fields.get("x-forwarded-port"), ...common };
}

/** The first member of a value that may be a list, as the client's own. */
export function firstMember(value: string): string {
  const comma = value.indexOf(",");
  return (comma < 0 ? value : value.slice(0, comma)).trim();
}

function byElements(elements: readonly ForwardedElement[], peer: string, trust: ProxyTrust) {
  const nodes = elements.map((element) => element.for === undefined ? undefined : nodeAddress(element.for));
  let address = peer;
  let proto: string | undefined;
  let host: string | undefined;
  // Each element was written by the node that the next one names, so it counts as long as those are trusted.
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

// X-Forwarded-For as elements of Forwarded; the client's own tells its scheme and host.
function chainOf(forwardedFor: string, client: Pick<ToldClient, "address" | "proto" | "host">): string {
  const { address, proto, host } = client;
  let told = false;
  return forwardedFor.split(",").map((entry) => {
    const node = nodeAddress(entry.trim()) ?? "";
    if (told || node !== address) return forwardedNode(node);
    told = true;
    return forwardedElement(node, host && firstMember(host), proto && firstMember(proto));
  }).join(", ");
}
