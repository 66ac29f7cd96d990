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
import { type FixedLine, fixedLine, type WrittenName, writtenName } from "../../http1/header_bytes.ts";
import type { HeadWriter } from "../../http1/head_writer.ts";
import { type KnownOctets, knownOctets } from "../../http1/word_view.ts";
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
  readonly #untrusted = new Map<string, { authority: string; scheme: string; lines: KnownOctets }>();
  /** Cached lines of the client's certificate, by its session. */
  readonly #certificates: WeakMap<TlsSession, string> | undefined;
  readonly #tellsVia: boolean;
  /** undefined where upstreams are told no request id. */
  readonly #requestIdName: WrittenName | undefined;
  /** Via of this proxy alone, by the version of the request. */
  readonly #viaHttp1: FixedLine;
  readonly #viaHttp2: FixedLine;
  /** Via of the client, in the head that is being written. */
  #via = "";
  /** Whether the client takes trailer fields, in the head that is being written. */
  #trailers = false;

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
    this.#tellsVia = !this.#suppressed.has("via");
    const tellsId = !this.#suppressed.has(names.requestIdName);
    this.#requestIdName = tellsId ? writtenName(names.requestIdName) : undefined;
    this.#viaHttp1 = fixedLine("via", `1.1 ${names.viaName}`);
    this.#viaHttp2 = fixedLine("via", `2.0 ${names.viaName}`);
    this.#made = made.length === 0 ? undefined : made;
  }

  /** Value that the config sets for Host. */
  get host(): string | undefined {
    return this.#host;
  }

  /**
   * Writes the head as it is sent, with its empty line.
   *
   * @param target Path and query.
   * @param host Value of Host.
   * @param framing `content-length` or `transfer-encoding` line with its CRLF, or empty.
   * @param prefix Prefix that the route removes from the path, or empty.
   * @param upgrade Lines of the proxy's WebSocket handshake, each with its CRLF, in place of the client's; or empty.
   */
  write(
    out: HeadWriter,
    exchange: Exchange,
    target: string,
    host: string,
    framing: string,
    prefix = "",
    upgrade = "",
  ): void {
    const { head, forwarded, span } = exchange;
    out.text(head.method);
    out.text(" ");
    out.text(target);
    out.known(BEHIND_TARGET);
    out.text(this.#host ?? host);
    out.endLine();
    this.#via = "";
    this.#trailers = false;
    this.#passLines(out, exchange, upgrade);
    if (forwarded === undefined) out.known(this.#untrustedPeerLines(exchange));
    else out.text(this.#forwardingLines(exchange, forwarded));
    if (prefix !== "" || forwarded !== undefined) out.text(this.#prefixLine(prefix, forwarded));
    if (this.#tellsVia) {
      const own = head.protocol === "HTTP/2.0" ? this.#viaHttp2 : this.#viaHttp1;
      if (this.#via === "") out.known(own);
      else out.line("via", `${this.#via}, ${own.value}`);
    }
    if (this.#requestIdName !== undefined) out.writtenLine(this.#requestIdName, exchange.id);
    if (span !== undefined) out.text(this.#traceLines(span));
    if (this.#certificates !== undefined) out.text(this.#certificateLines(exchange.client.tls, this.#certificates));
    if (this.#trailers) out.text(TAKES_TRAILERS);
    if (framing !== "") out.text(framing);
    if (upgrade !== "") out.text(upgrade);
    if (this.#fixedLines !== "") out.text(this.#fixedLines);
    if (this.#made !== undefined) writeMade(out, exchange, this.#made);
    out.endLine();
  }

  /** Writes the client's lines that are passed on. `named` are the names that Connection has. */
  #passLines(out: HeadWriter, exchange: Exchange, upgrade: string, named?: readonly string[]): void {
    const { head, forwarded, span } = exchange;
    const { headers } = head;
    const start = out.length;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      const treatment = this.#treatments.get(name) ?? this.#treatmentOf(name);
      if (treatment === Treatment.Dropped) continue;
      switch (treatment) {
        case Treatment.FromTrusted:
          if (forwarded === undefined) continue;
          break;
        case Treatment.Trace:
          if (span !== undefined) continue;
          break;
        case Treatment.Handshake:
          if (upgrade !== "") continue;
          break;
        case Treatment.Extensions:
          if (upgrade !== "" && exchange.client.tunnels !== true) continue;
          break;
        case Treatment.Connection: {
          if (named !== undefined) continue;
          const found = connectionNamed(headers[i + 1]);
          if (found === undefined) continue;
          // It may name lines before it, so all of them are written again: such a Connection is rare.
          out.clear(start);
          this.#via = "";
          return this.#passLines(out, exchange, upgrade, found);
        }
        case Treatment.Trailers:
          this.#trailers = exchange.client.inform !== undefined && takesTrailers(headers[i + 1]);
          continue;
        case Treatment.Via:
          this.#via = this.#via === "" ? headers[i + 1] : `${this.#via}, ${headers[i + 1]}`;
          continue;
      }
      if (named !== undefined && named.includes(name)) continue;
      const value = headers[i + 1];
      const counted = treatment === Treatment.MaxForwards && countsHops(head.method);
      out.line(name, counted ? oneHopLess(value) : value);
    }
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
  #untrustedPeerLines(exchange: Exchange): KnownOctets {
    const { peer, authority, scheme } = exchange.head;
    const known = this.#untrusted.get(peer.address);
    if (known !== undefined && known.authority === authority && known.scheme === scheme) return known.lines;
    const lines = knownOctets(this.#forwardingLines(exchange, undefined));
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
const enum Treatment {
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

const BEHIND_TARGET = knownOctets(" HTTP/1.1\r\nhost: ");

const MOST_UNTRUSTED = 1024;

const MOST_REMEMBERED = 1024;
const LONGEST_REMEMBERED = 64;

function writeMade(out: HeadWriter, exchange: Exchange, made: FieldTexts): void {
  for (const [name, field] of made) {
    const value = field.value(exchange);
    if (value !== "") out.line(name, value);
  }
}

function portAsked(host: string, proto: string): string {
  return String(portOf(firstMember(host)) ?? (/^(?:https|wss)$/i.test(firstMember(proto)) ? 443 : 80));
}
