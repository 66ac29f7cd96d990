/**
 * The client of an exchange, as an upstream is told of it at the start of a connection (PROXY protocol).
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { ProxiedClient } from "../../http/proxy_protocol.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";

/** The client that connections to `endpoint` name; undefined where they name none. */
export function proxiedClient(exchange: Exchange, { proxyProtocol }: Endpoint): ProxiedClient | undefined {
  if (proxyProtocol === undefined) return undefined;
  const { client, clientAddress, head: { peer } } = exchange;
  // The port of a client behind a trusted proxy is not known.
  const known = clientAddress === peer.address ? peer : { address: clientAddress, port: 0 };
  return { peer: known, local: client.local ?? { address: "", port: 0 } };
}
