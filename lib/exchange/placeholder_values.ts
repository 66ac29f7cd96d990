/**
 * What placeholders stand for: facts of an exchange, each with the stage from which on it is known.
 *
 * @module
 */

import { portOf } from "../http/authority.ts";
import { headerValue, headerValues } from "../http/header_lines.ts";
import { plainUrl } from "../upstream/upstream_url.ts";
import type { Exchange } from "./exchange.ts";

/** Stages of an exchange, in their order. */
export const STAGES = ["received", "forwarded", "responded"] as const;

/** When a value is needed: of a request that has arrived, of one to an upstream, or of a response to the client. */
export type Stage = (typeof STAGES)[number];

/** The value of a placeholder in an exchange. */
export type Value = (exchange: Exchange, parts: Readonly<Record<string, string>>) => string;

/** A placeholder. */
interface Fact {
  readonly stage: Stage;
  readonly value: Value;
}

/** Placeholders by their names. */
export const FACTS: Readonly<Record<string, Fact>> = {
  ...known("received", {
    "path": ({ path }) => path,
    "query": ({ query }) => query.slice(1),
    "host": ({ head }) => head.host,
    "port": ({ head }) => portOf(head.authority)?.toString() ?? "",
    "scheme": (exchange) => exchange.clientScheme,
    "method": ({ head }) => head.method,
    "protocol": ({ head }) => head.protocol ?? "HTTP/1.1",
    "client.ip": ({ clientAddress }) => clientAddress,
    "client.port": clientPort,
    "request.id": ({ requestId }) => requestId,
    "route": ({ route }) => route,
    "site": ({ site }) => site,
    "user": ({ user }) => user,
    "tls.version": ({ client }) => client.tls?.version ?? "",
    "tls.cipher": ({ client }) => client.tls?.cipher ?? "",
    "tls.server_name": ({ client }) => client.tls?.serverName ?? "",
    "time.iso": () => new Date().toISOString(),
    "time.http": () => new Date().toUTCString(),
    "time.unix": () => (Date.now() / 1000).toFixed(3),
  }),
  ...known("forwarded", {
    "upstream": ({ upstream }) => upstream,
    "upstream.name": ({ pool }) => pool,
    "upstream.host": ({ upstream }) => endpointOf(upstream).host,
    "upstream.port": ({ upstream }) => endpointOf(upstream).port,
    "attempts": ({ attempts }) => String(attempts),
  }),
  ...known("responded", {
    "status": ({ status }) => String(status),
    "duration": ({ startMs }) => (performance.now() - startMs).toFixed(1),
    "upstream.duration": ({ upstreamMs }) => upstreamMs < 0 ? "" : upstreamMs.toFixed(1),
  }),
};

/** Placeholders with a name behind a dot, by what stands before it. */
export const NAMED_FACTS: Readonly<Record<string, { readonly stage: Stage; value(name: string): Value }>> = {
  header: {
    stage: "received",
    value: (name) => {
      const lower = name.toLowerCase();
      return ({ head }) => headerValue(head.headers, lower) ?? "";
    },
  },
  cookie: { stage: "received", value: (name) => ({ head }) => cookieOf(head.headers, name) },
  query: { stage: "received", value: (name) => ({ query }) => parameterOf(query, name) },
};

function known(stage: Stage, values: Readonly<Record<string, Value>>): Record<string, Fact> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { stage, value }]));
}

/** The port of a client behind a trusted proxy is not known. */
function clientPort({ clientAddress, head: { peer } }: Exchange): string {
  return clientAddress === peer.address && peer.port > 0 ? String(peer.port) : "";
}

const endpoints = new Map<string, { host: string; port: string }>();
const MOST_ENDPOINTS = 1024;

/** Host and port of an upstream's `url`; of a unix socket its path. */
function endpointOf(url: string): { host: string; port: string } {
  let found = endpoints.get(url);
  if (found === undefined) {
    found = parsedEndpoint(url);
    if (endpoints.size >= MOST_ENDPOINTS) endpoints.clear();
    endpoints.set(url, found);
  }
  return found;
}

function parsedEndpoint(url: string): { host: string; port: string } {
  if (/^unix:/i.test(url)) return { host: url.slice("unix:".length), port: "" };
  if (url === "") return { host: "", port: "" };
  const { hostname, port, protocol } = new URL(plainUrl(url));
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? protocol === "https:" ? "443" : "80" : port };
}

/** Value of the first cookie of this name, as sent (RFC 6265, section 4.2). */
function cookieOf(headers: readonly string[], name: string): string {
  for (const line of headerValues(headers, "cookie")) {
    for (const pair of line.split(";")) {
      const at = pair.indexOf("=");
      if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
  }
  return "";
}

/** Value of the first parameter of this name in a query, as sent. */
function parameterOf(query: string, name: string): string {
  for (const pair of query.slice(1).split("&")) {
    if (pair === name) return "";
    if (pair.startsWith(name) && pair[name.length] === "=") return pair.slice(name.length + 1);
  }
  return "";
}
