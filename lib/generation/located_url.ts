/**
 * The listener that a URL addresses. Parts that the URL lacks are taken from the config, and noted.
 *
 * @module
 */

import { portOf } from "../http/authority.ts";
import { parseAddress } from "../http/ip_address.ts";
import type { Generation, GenerationListener } from "./generation.ts";

/** A URL and its listener. */
export interface LocatedUrl {
  /** The whole URL. */
  readonly url: string;
  /** Host, with the port where the URL has one. */
  readonly authority: string;
  /** Path and query, as they were given. */
  readonly target: string;
  /** Assumptions that were made. */
  readonly notes: readonly string[];
  /** The reason for the case that there is no listener. */
  readonly noListener: string;
  /** The listener and its port; undefined if nothing listens on the port. */
  readonly found: { readonly listener: GenerationListener; readonly port: number } | undefined;
}

/** A text that is no URL of a request. */
export class InvalidUrl extends TypeError {}

/** Schemes of URLs, with the scheme of their requests. */
const SCHEMES: Readonly<Record<string, string>> = { http: "http", https: "https", ws: "http", wss: "https" };

/**
 * Finds the listener.
 *
 * @param options `opened`: ports of open listeners, in the order of the generation's; without them, those of the config.
 * `hostField`: value of Host, which stands in for a URL without a host; null without one.
 * @throws {InvalidUrl} When `text` is no URL, or one of another scheme.
 */
export function locateUrl(
  { listeners, sites }: Generation,
  text: string,
  { opened, hostField }: { opened: readonly number[] | undefined; hostField: string | null },
): LocatedUrl {
  const ports = listeners.map((listener, index) => opened?.[index] ?? listener.port);
  const all = [...new Set(ports)].map((port) => port === 0 ? "any free port" : String(port)).join(", ");
  const [, givenScheme, written = "", rest = ""] = /^(?:([a-z][a-z\d+.-]*):\/\/)?([^/?#]*)([^#]*)/i.exec(text) ?? [];
  const given = givenScheme?.toLowerCase() ?? "http";
  if (!Object.hasOwn(SCHEMES, given)) {
    throw new InvalidUrl(`${JSON.stringify(text)} has the scheme "${given}", expected http, https, ws or wss`);
  }
  const scheme = SCHEMES[given];
  const notes: string[] = [];
  if (given !== scheme) {
    notes.push(`${given}:// is taken for ${scheme}://; the header fields of its handshake make a request a WebSocket`);
  }
  let authority = asciiAuthority(written.replace(/^.*@/, ""), text);
  if (authority === "") {
    if (!rest.startsWith("/")) {
      throw noUrl(text);
    }
    const host = sites[0].hosts.find((name) => !name.includes("*")) ?? "localhost";
    authority = hostField ?? `${host}:${ports[0]}`;
    if (hostField === null) notes.push(`The URL names no host: taken for ${authority}`);
  }
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  const asked = portOf(authority);
  const usual = scheme === "https" ? 443 : 80;
  let port = asked ?? usual;
  if (asked === undefined && !ports.includes(usual) && new Set(ports).size === 1) {
    port = ports[0];
    notes.push(
      `Nothing listens on port ${usual}: taken for port ${port === 0 ? "0 (any free one)" : port}, the only one`,
    );
  }
  if (scheme === "https") {
    notes.push("BWS has no TLS of its own: a request for https:// comes from a proxy in front, as http");
  }
  const url = `${scheme}://${authority}${target}`;
  const here = listeners.filter((_, index) => ports[index] === port);
  const address = parseAddress(authority.replace(/:\d*$/, ""));
  const listener =
    here.find((one) => address !== undefined && one.address !== undefined && parseAddress(one.address) === address) ??
      here[0];
  if (here.length > 1 && (address === undefined || listener.address === undefined)) {
    notes.push(`Several addresses listen on port ${port}: taken for ${listener.address ?? "all interfaces"}`);
  }
  const noListener = `No site listens on port ${port}; this config listens on ${all}`;
  return { url, authority, target, notes, noListener, found: listener === undefined ? undefined : { listener, port } };
}

function asciiAuthority(authority: string, text: string): string {
  if (/^[\x21-\x7e]*$/.test(authority)) return authority;
  const host = URL.parse(`http://${authority}`)?.host;
  if (host === undefined) throw noUrl(text);
  return host;
}

function noUrl(text: string): InvalidUrl {
  return new InvalidUrl(`${JSON.stringify(text)} is no URL, expected one such as http://localhost:8080/x, or a path`);
}
