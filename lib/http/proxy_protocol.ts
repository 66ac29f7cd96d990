/**
 * The header of the PROXY protocol, versions 1 and 2, with which BWS tells an upstream the client's address at the start of
 * a connection (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 *
 * @module
 */

import { addressGroups, addressText, ipv6Text, isMapped } from "./ip_address.ts";
import type { Peer } from "./message.ts";

/** Version 1 is a line of text, version 2 binary. */
export type ProxyProtocol = "v1" | "v2";

/** The two ends of the connection of a client. */
export interface ProxiedClient {
  /** The client's. Its address is empty where it has none, and its port 0 where that is not known. */
  readonly peer: Peer;
  /** The end that the client connected to. Its address is empty where that is not known. */
  readonly local: Peer;
}

/**
 * The header.
 *
 * @param client undefined for a connection of BWS itself, such as a probe: LOCAL in version 2, UNKNOWN in version 1.
 */
export function proxyHeader(version: ProxyProtocol, client: ProxiedClient | undefined): Uint8Array<ArrayBuffer> {
  const ends = client && endsOf(client);
  return version === "v1" ? encoder.encode(line(ends)) : binary(ends, client === undefined);
}

/** Both ends of a connection, in one family. */
interface Ends {
  readonly source: Uint16Array;
  readonly destination: Uint16Array;
  readonly ports: readonly [number, number];
  readonly ipv4: boolean;
}

function endsOf({ peer, local }: ProxiedClient): Ends | undefined {
  const source = addressGroups(peer.address)?.slice();
  if (source === undefined) return undefined;
  // An end that is not known is the unspecified address of the client's family.
  const destination = (addressGroups(local.address) ?? addressGroups(isMapped(source) ? "0.0.0.0" : "::"))?.slice();
  if (destination === undefined) return undefined;
  return { source, destination, ports: [peer.port, local.port], ipv4: isMapped(source) && isMapped(destination) };
}

function line(ends: Ends | undefined): string {
  if (ends === undefined) return "PROXY UNKNOWN\r\n";
  const { source, destination, ports, ipv4 } = ends;
  const text = ipv4 ? addressText : ipv6Text;
  return `PROXY ${ipv4 ? "TCP4" : "TCP6"} ${text(source)} ${text(destination)} ${ports.join(" ")}\r\n`;
}

function binary(ends: Ends | undefined, local: boolean): Uint8Array<ArrayBuffer> {
  const first = ends?.ipv4 ? 6 : 0;
  const numbers = ends === undefined
    ? []
    : [...ends.source.subarray(first), ...ends.destination.subarray(first), ...ends.ports];
  const header = new Uint8Array(FIXED_BYTES + 2 * numbers.length);
  header.set(SIGNATURE);
  header[12] = local ? 0x20 : 0x21;
  header[13] = ends === undefined ? UNSPECIFIED : ends.ipv4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  header[15] = 2 * numbers.length;
  const view = new DataView(header.buffer);
  for (const [i, number] of numbers.entries()) view.setUint16(FIXED_BYTES + 2 * i, number);
  return header;
}

const encoder = new TextEncoder();
const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** Signature, version and command, family, length. */
const FIXED_BYTES = 16;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
