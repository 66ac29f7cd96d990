/**
 * The request that asks a service whether a client's request may pass: a GET with the client's fields and, in the names of
 * Traefik, Caddy and nginx, what it is about.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { foldedName } from "../../http/folded_name.ts";
import { firstMember, FORWARDING_FIELDS } from "../../http/forwarded_client.ts";
import { headerValue } from "../../http/header_lines.ts";
import { connectionNamed, HOP_BY_HOP } from "../../http/hop_by_hop.ts";

/** Writes questions. Built once. */
export class AuthQuestion {
  readonly #via: string;
  /** Names of fields that the service gets of clients, of trusted proxies alone, or not. */
  readonly #passes = new Map<string, boolean | "trusted">();
  readonly #dropped: ReadonlySet<string>;

  /**
   * @param mark Identifies this process.
   * @param copied Names of fields that the service gives.
   */
  constructor(mark: string, copied: readonly string[]) {
    this.#via = `bws-auth-${mark}`;
    // Credentials are what the service judges, also where it gives others in their place.
    const given = copied.map(foldedName).filter((name) => name !== "authorization" && name !== "cookie");
    this.#dropped = new Set([...DROPPED, ...given]);
  }

  /** Whether a request is a question of this process itself. */
  asks({ head: { via, headers } }: Exchange): boolean {
    const value = via ?? headerValue(headers, "via");
    return value !== undefined && value !== "" && value.includes(this.#via);
  }

  /** The header lines of the question, each with its CRLF. */
  lines(exchange: Exchange): string {
    const { head, forwarded, clientScheme, clientAddress } = exchange;
    const { headers, peer, method } = head;
    const connection = headerValue(headers, "connection");
    const named = connection === undefined ? undefined : connectionNamed(connection);
    let text = "";
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      const passes = this.#passesOn(name);
      if (passes === false || (passes === "trusted" && forwarded === undefined)) continue;
      if (named?.includes(name.toLowerCase()) !== true) {
        text += `${name}: ${headers[i + 1]}\r\n`;
      }
    }
    // As the client wrote it, before rewrites: a login leads back to it.
    const uri = exchange.path + exchange.query;
    const host = forwarded?.host === undefined ? head.authority : firstMember(forwarded.host);
    const chain = forwarded?.forwardedFor;
    const addresses = chain === undefined ? peer.address : peer.address === "" ? chain : `${chain}, ${peer.address}`;
    text += `x-forwarded-method: ${method}\r\nx-forwarded-proto: ${clientScheme}\r\nx-forwarded-host: ${host}\r\n` +
      `x-forwarded-uri: ${uri}\r\nx-original-method: ${method}\r\nx-original-url: ${clientScheme}://${host}${uri}\r\n`;
    if (addresses !== "") text += `x-forwarded-for: ${addresses}\r\n`;
    if (clientAddress !== "") text += `x-real-ip: ${clientAddress}\r\n`;
    return `${text}via: 1.1 ${this.#via}\r\n`;
  }

  // Clients choose the names: what is known of them is bounded.
  #passesOn(name: string): boolean | "trusted" {
    const known = this.#passes.get(name);
    if (known !== undefined) return known;
    const folded = foldedName(name);
    let passes: boolean | "trusted" = !this.#dropped.has(folded) &&
      !/^(?:x-forwarded|x-original|sec-websocket)(?:-|$)/.test(folded);
    // In which BWS tells upstreams of a client's certificate: a client could claim to have one.
    if (passes && folded.startsWith("x-client-cert-")) passes = folded === name.toLowerCase() && "trusted";
    if (this.#passes.size >= MOST_KNOWN) this.#passes.clear();
    if (name.length <= LONGEST_KNOWN) this.#passes.set(name, passes);
    return passes;
  }
}

const MOST_KNOWN = 1024;
const LONGEST_KNOWN = 64;

/**
 * Besides what frames the client's body, which is not sent: conditions and ranges, which are about the resource behind the
 * service.
 */
const DROPPED: readonly string[] = [
  ...HOP_BY_HOP,
  ...FORWARDING_FIELDS,
  ...["host", "via", "content-length", "content-encoding", "expect", "proxy"],
  ...["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"],
];
