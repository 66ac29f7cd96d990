/**
 * The head of the request to the upstream: the client's lines without hop-by-hop fields and without forwarding fields
 * of an untrusted peer, then the lines of the proxy itself.
 *
 * @module
 */

import { portOf } from "../../http/authority.ts";
import { foldedName } from "../../http/folded_name.ts";
import { forwardedElement } from "../../http/forwarded.ts";
import { connectionNamed, HOP_BY_HOP } from "../../http/hop_by_hop.ts";
import { countsHops, oneHopLess } from "../../http/max_forwards.ts";
import { firstMember, type ForwardedClient, FORWARDING_FIELDS } from "../../http/forwarded_client.ts";
import type { CarriedTrace } from "../../telemetry/exchange_span.ts";
import type { TlsSession } from "../../sockets/tls_session.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { type FieldTexts, fieldTexts } from "../../exchange/field_text.ts";
import type { HeadersConfig } from "./config/headers_schema.ts";
import { CLIENT_CERTIFICATE_FIELDS, clientCertificateLines } from "./client_certificate_lines.ts";
import { takesTrailers } from "./interim_response.ts";

/** Names that the proxy uses in requests to upstreams. */
export interface RequestNames {
  /** Name of this proxy in Via. */
  readonly viaName: string;
  /** Name of the field that carries the request id, in lower case. */
  readonly requestIdName: string;
  /**
   * Whether upstreams are told of the client's certificate.
   *
   * @default {false}
   */
  readonly tellsCertificate?: boolean;
}

/** Rewrites request headers; built once for each site, and for each route with `headers` of its own. */
export class RequestHeaders {
  readonly #config: HeadersConfig;
  readonly #names: RequestNames;
  /** Fields of the client that are not passed on. */
  readonly #dropped: ReadonlySet<string>;
  /** The same names in the form that CGI programs get. */
  readonly #folded: ReadonlySet<string>;
  /** Cached treatment of a field, by its name. */
  readonly #treatments = new Map<string, Treatment>();
  readonly #fixedLines: string;
  /** Lines of the config with placeholders; undefined where there are none. */
  readonly #made: FieldTexts | undefined;
  readonly #host: string | undefined;
  readonly #removes: ReadonlySet<string>;
  /** Lines of the proxy that the config removes or sets itself. */
  readonly #suppressed: ReadonlySet<string>;
  /** Cached forwarding lines of untrusted peers, by their address. */
  readonly #untrusted = new Map<string, { authority: string; scheme: string; lines: string }>();

  /** Cached lines of the client's certificate, by its session. */
  readonly #certificates: WeakMap<TlsSession, string> | undefined;

  /** Prepares what does not depend on the request. */
  constructor(config: HeadersConfig, names: RequestNames) {
    this.#config = config;
    this.#names = names;
    this.#certificates = names.tellsCertificate ? new WeakMap() : undefined;
    const { add, remove, request } = config;
    this.#removes = new Set([...remove, ...request.remove]);
    this.#suppressed = new Set([...this.#removes, ...Object.keys(request.set).map((name) => name.toLowerCase())]);
    this.#dropped = new Set([...HOP_BY_HOP, ...OWN, names.requestIdName, ...this.#suppressed]);
    this.#folded = new Set([...this.#dropped].map(foldedName));
    const { lines, made } = fieldTexts([request.set, add, request.add].flatMap(Object.entries<string>), "forwarded");
    let fixed = "";
    for (let i = 0; i < lines.length; i += 2) {
      // A request has one Host (RFC 9112, section 3.2): the config's replaces any other.
      if (lines[i].toLowerCase() === "host") this.#host = lines[i + 1];
      else fixed += `${lines[i]}: ${lines[i + 1]}\r\n`;
    }
    this.#fixedLines = fixed;
    this.#made = made.length === 0 ? undefined : made;
  }

  /** Value that the config sets for Host. */
  get host(): string | undefined {
    return this.#host;
  }

  /**
   * The head as it is sent, with its empty line.
   *
   * @param target Path and query.
   * @param host Value of Host.
   * @param framing `content-length` or `transfer-encoding` line with its CRLF, or empty.
   * @param prefix Prefix that the route removes from the path, or empty.
   * @param upgrade Lines of the proxy's WebSocket handshake, each with its CRLF, in place of the client's; or empty.
   */
  build(exchange: Exchange, target: string, host: string, framing: string, prefix = "", upgrade = ""): string {
    const { head, forwarded, span } = exchange;
    const { headers } = head;
    let text = `${head.method} ${target} HTTP/1.1\r\nhost: ${this.#host ?? host}\r\n`;
    let named: string[] | undefined;
    let via = "";
    let trailers = "";
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      const verdict = this.#treatments.get(name) ?? this.#treatmentOf(name);
      if (verdict === Treatment.Passes) text += `${name}: ${headers[i + 1]}\r\n`;
      else if (verdict === Treatment.FromTrusted) {
        if (forwarded !== undefined) text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Treatment.Trace) {
        if (span === undefined) text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Treatment.Handshake) {
        if (upgrade === "") text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Treatment.Extensions) {
        if (upgrade === "" || exchange.client.tunnels === true) text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Treatment.MaxForwards) {
        text += `${name}: ${countsHops(head.method) ? oneHopLess(headers[i + 1]) : headers[i + 1]}\r\n`;
      } else if (verdict === Treatment.Connection) named = connectionNamed(headers[i + 1]);
      else if (verdict === Treatment.Trailers) {
        if (exchange.client.inform !== undefined && takesTrailers(headers[i + 1])) trailers = TAKES_TRAILERS;
      } else if (verdict === Treatment.Via) via = via === "" ? headers[i + 1] : `${via}, ${headers[i + 1]}`;
    }
    if (named !== undefined) text = withoutNamed(text, named);
    text += forwarded === undefined ? this.#untrustedPeerFields(exchange) : this.#forwardingLines(exchange, forwarded);
    if (prefix !== "" || forwarded !== undefined) text += this.#prefixLine(prefix, forwarded);
    const version = head.protocol === "HTTP/2.0" ? "2.0" : "1.1";
    if (!this.#suppressed.has("via")) {
      text += `via: ${via === "" ? "" : via + ", "}${version} ${this.#names.viaName}\r\n`;
    }
    text += this.#line(this.#names.requestIdName, exchange.requestId);
    if (span !== undefined) text += this.#traceLines(span);
    if (this.#certificates !== undefined) text += this.#certificateLines(exchange.client.tls, this.#certificates);
    text += trailers + framing + upgrade + this.#fixedLines;
    return (this.#made === undefined ? text : text + madeLines(exchange, this.#made)) + "\r\n";
  }

  // Clients choose the names: the cache is limited, and cleared when it is full.
  #treatmentOf(name: string): Treatment {
    const verdict = this.#verdictOf(name);
    if (name.length > LONGEST_REMEMBERED) return verdict;
    if (this.#treatments.size >= MOST_REMEMBERED) this.#treatments.clear();
    this.#treatments.set(name, verdict);
    return verdict;
  }

  #verdictOf(name: string): Treatment {
    if (name === "connection") return Treatment.Connection;
    if (name === "via" && !this.#removes.has(name)) return Treatment.Via;
    if (name === "te" && !this.#suppressed.has(name)) return Treatment.Trailers;
    if (this.#dropped.has(name)) return Treatment.Dropped;
    if (HANDSHAKE.has(name)) return Treatment.Handshake;
    if (name === "sec-websocket-extensions") return Treatment.Extensions;
    if (name === "max-forwards") return Treatment.MaxForwards;
    // CGI programs get `X.Forwarded~For` as `X_FORWARDED_FOR`, the same as `X-Forwarded-For`.
    const seen = foldedName(name);
    // "httpoxy": CGI programs get it as HTTP_PROXY, from which libraries take a proxy for their own requests.
    if (seen === "proxy" || this.#folded.has(seen)) return Treatment.Dropped;
    if (seen === "x-forwarded" || seen.startsWith("x-forwarded-")) {
      return seen === name ? Treatment.FromTrusted : Treatment.Dropped;
    }
    if (seen.startsWith(CLIENT_CERTIFICATE_FIELDS)) {
      return seen === name && this.#certificates === undefined ? Treatment.FromTrusted : Treatment.Dropped;
    }
    return name === "traceparent" || name === "tracestate" ? Treatment.Trace : Treatment.Passes;
  }

  #certificateLines(session: TlsSession | undefined, known: WeakMap<TlsSession, string>): string {
    if (session === undefined) return "";
    let text = known.get(session);
    if (text === undefined) {
      text = "";
      const lines = clientCertificateLines(session);
      for (let i = 0; i < lines.length; i += 2) text += this.#line(lines[i], lines[i + 1]);
      known.set(session, text);
    }
    return text;
  }

  #traceLines({ traceparent, tracestate }: CarriedTrace): string {
    return (traceparent === "" ? "" : this.#line("traceparent", traceparent)) +
      (tracestate === "" ? "" : this.#line("tracestate", tracestate));
  }

  // An untrusted peer usually sends many requests: its lines are cached.
  #untrustedPeerFields(exchange: Exchange): string {
    const { peer, authority, scheme } = exchange.head;
    const known = this.#untrusted.get(peer.address);
    if (known !== undefined && known.authority === authority && known.scheme === scheme) return known.lines;
    const lines = this.#forwardingLines(exchange, undefined);
    if (this.#untrusted.size >= MOST_UNTRUSTED) this.#untrusted.clear();
    this.#untrusted.set(peer.address, { authority, scheme, lines });
    return lines;
  }

  #forwardingLines(exchange: Exchange, forwarded: ForwardedClient | undefined): string {
    const { head } = exchange;
    const peer = head.peer.address;
    const proto = forwarded?.proto ?? head.scheme;
    const host = forwarded?.host ?? head.authority;
    const chain = forwarded?.forwardedFor;
    let text = "";
    if (this.#config.add_x_forwarded) {
      const addresses = chain === undefined ? peer : peer === "" ? chain : `${chain}, ${peer}`;
      // A peer on a unix socket, or one that an embedder does not name, has no address.
      text = (addresses === "" ? "" : this.#line("x-forwarded-for", addresses)) +
        this.#line("x-forwarded-proto", proto) +
        this.#line("x-forwarded-host", host) +
        this.#line("x-forwarded-port", forwarded?.port ?? portAsked(host, proto)) +
        (exchange.clientAddress === "" ? "" : this.#line("x-real-ip", exchange.clientAddress));
    } else if (forwarded !== undefined) {
      for (const [name, value] of forwarded.fields) {
        if (name !== "forwarded" && name !== "x-forwarded-prefix") text += this.#line(name, value);
      }
    }
    if (this.#config.add_forwarded) {
      // A trusted peer without a client address in its fields is the client itself.
      const own = chain === undefined
        ? forwardedElement(peer, firstMember(host), firstMember(proto))
        : forwardedElement(peer, head.authority, head.scheme);
      text += this.#line("forwarded", forwarded?.forwarded === undefined ? own : `${forwarded.forwarded}, ${own}`);
    } else if (forwarded?.forwarded !== undefined && forwarded.fields.has("forwarded")) {
      text += this.#line("forwarded", forwarded.forwarded);
    }
    return text;
  }

  #prefixLine(prefix: string, forwarded: ForwardedClient | undefined): string {
    const outer = forwarded?.prefix ?? "";
    const whole = this.#config.add_x_forwarded ? outer.replace(/\/+$/, "") + prefix : outer;
    return whole === "" ? "" : this.#line("x-forwarded-prefix", whole);
  }

  #line(name: string, value: string): string {
    return this.#suppressed.has(name) ? "" : `${name}: ${value}\r\n`;
  }
}

/** How a field of the client is treated. */
enum Treatment {
  Passes,
  Dropped,
  /** Passed on if the peer is a trusted proxy. */
  FromTrusted,
  /** Passed on if the exchange is not traced. */
  Trace,
  /** Passed on if the proxy makes no WebSocket handshake of its own. */
  Handshake,
  /** As {@linkcode Handshake}; also passed on if frames are passed on as they are. */
  Extensions,
  /** Decremented, for methods that count hops. */
  MaxForwards,
  Connection,
  Via,
  /** TE, of which `trailers` alone is passed on, if the client's listener can send them. */
  Trailers,
}

/** Fields that the proxy writes itself or handles itself. */
const OWN: readonly string[] = [...FORWARDING_FIELDS, "host", "content-length", "expect", "via"];

/** Fields of the client's WebSocket handshake: the upstream gets a handshake of the proxy. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "sec-websocket-version",
]);

/** TE belongs to one hop, so Connection names it (RFC 9110, section 10.1.4). */
const TAKES_TRAILERS = "te: trailers\r\nconnection: te\r\n";

const MOST_UNTRUSTED = 1024;

const MOST_REMEMBERED = 1024;
const LONGEST_REMEMBERED = 64;

function madeLines(exchange: Exchange, made: FieldTexts): string {
  let text = "";
  for (const [name, field] of made) {
    const value = field.value(exchange);
    if (value !== "") text += `${name}: ${value}\r\n`;
  }
  return text;
}

function portAsked(host: string, proto: string): string {
  return String(portOf(firstMember(host)) ?? (/^(?:https|wss)$/i.test(firstMember(proto)) ? 443 : 80));
}

// Connection may name any field of the client; the lines of the proxy are added afterwards.
function withoutNamed(text: string, named: string[]): string {
  const lines = text.split("\r\n");
  const kept = lines.filter((line, index) => {
    if (index < 2 || line === "") return true;
    return !named.includes(line.slice(0, line.indexOf(":")).toLowerCase());
  });
  return kept.join("\r\n");
}
