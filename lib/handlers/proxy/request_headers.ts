/**
 * The head of the request that goes upstream: the client's lines, less what belongs to its own hop or was made up by it,
 * plus what the proxy knows for itself.
 *
 * @module
 */

import { portOf } from "../../http/authority.ts";
import { forwardedElement } from "../../http/forwarded.ts";
import { connectionNamed, HOP_BY_HOP } from "../../http/hop_by_hop.ts";
import { countsHops, oneHopLess } from "../../http/max_forwards.ts";
import { firstMember, type ForwardedClient, FORWARDING_FIELDS } from "../../http/forwarded_client.ts";
import type { CarriedTrace } from "../../telemetry/exchange_span.ts";
import type { Exchange } from "../../exchange/exchange.ts";

/** How request headers are rewritten. */
export interface RequestHeaderOptions {
  /** Whether X-Forwarded-For, -Host, -Port, -Proto and X-Real-IP are sent. */
  readonly addXForwarded: boolean;
  /** Whether Forwarded (RFC 7239) is sent. */
  readonly addForwarded: boolean;
  /** Name of this proxy in Via. */
  readonly viaName: string;
  /** Name of the field that carries the request id, in lower case. */
  readonly requestIdName: string;
  /** Lines that replace the client's, `[name, value, …]`. */
  readonly set: readonly string[];
  /** Lines that are added to the client's, `[name, value, …]`. */
  readonly add: readonly string[];
  /** Names that are taken out, in lower case. */
  readonly remove: readonly string[];
}

/** Rewrites request headers; built once for each site. */
export class RequestHeaders {
  readonly #options: RequestHeaderOptions;
  /** Fields that do not pass as they came. */
  readonly #dropped: ReadonlySet<string>;
  /** The same in the form in which CGI programs see names. */
  readonly #folded: ReadonlySet<string>;
  /** What becomes of a field, by its name; as far as names have been seen. */
  readonly #verdicts = new Map<string, Verdict>();
  readonly #fixedLines: string;
  readonly #host: string | undefined;
  readonly #removes: ReadonlySet<string>;
  /** Lines of the proxy's own that the config takes out or sets for itself. */
  readonly #suppressed: ReadonlySet<string>;
  /** What was last told of peers that are not believed, by their address. */
  readonly #strangers = new Map<string, { authority: string; scheme: string; lines: string }>();

  /** Prepares what does not depend on the request. */
  constructor(options: RequestHeaderOptions) {
    this.#options = options;
    this.#removes = new Set(options.remove);
    const suppressed = new Set(options.remove);
    for (let i = 0; i < options.set.length; i += 2) suppressed.add(options.set[i].toLowerCase());
    this.#suppressed = suppressed;
    this.#dropped = new Set([...HOP_BY_HOP, ...OWN, options.requestIdName, ...suppressed]);
    this.#folded = new Set([...this.#dropped].map(folded));
    let fixed = "";
    for (const lines of [options.set, options.add]) {
      for (let i = 0; i < lines.length; i += 2) {
        // There is one Host (RFC 9112, section 3.2): the config's takes the place of any other.
        if (lines[i].toLowerCase() === "host") this.#host = lines[i + 1];
        else fixed += `${lines[i]}: ${lines[i + 1]}\r\n`;
      }
    }
    this.#fixedLines = fixed;
  }

  /** Value that the config sets for Host, whatever the client or the upstream is called. */
  get host(): string | undefined {
    return this.#host;
  }

  /**
   * The head as it goes out, with its empty line.
   *
   * @param target Path and query.
   * @param host Value of Host.
   * @param framing `content-length` or `transfer-encoding` line with its CRLF, or empty.
   * @param prefix Path that the route takes away before the upstream sees it, or empty.
   * @param upgrade Lines of the proxy's own WebSocket handshake, each with its CRLF, in place of the client's; or empty.
   */
  build(exchange: Exchange, target: string, host: string, framing: string, prefix = "", upgrade = ""): string {
    const { head, told, span } = exchange;
    const { headers } = head;
    let text = `${head.method} ${target} HTTP/1.1\r\nhost: ${this.#host ?? host}\r\n`;
    let named: string[] | undefined;
    let via = "";
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      const verdict = this.#verdicts.get(name) ?? this.#judge(name);
      if (verdict === Verdict.Passes) text += `${name}: ${headers[i + 1]}\r\n`;
      else if (verdict === Verdict.FromTrusted) {
        if (told !== undefined) text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Verdict.Trace) {
        if (span === undefined) text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Verdict.Handshake) {
        if (upgrade === "") text += `${name}: ${headers[i + 1]}\r\n`;
      } else if (verdict === Verdict.MaxForwards) {
        text += `${name}: ${countsHops(head.method) ? oneHopLess(headers[i + 1]) : headers[i + 1]}\r\n`;
      } else if (verdict === Verdict.Connection) named = connectionNamed(headers[i + 1]);
      else if (verdict === Verdict.Via) via = via === "" ? headers[i + 1] : `${via}, ${headers[i + 1]}`;
    }
    if (named !== undefined) text = withoutNamed(text, named);
    text += told === undefined ? this.#untrustedPeerFields(exchange) : this.#forwardingLines(exchange, told);
    if (prefix !== "" || told !== undefined) text += this.#prefixLine(prefix, told);
    if (!this.#suppressed.has("via")) text += `via: ${via === "" ? "" : via + ", "}1.1 ${this.#options.viaName}\r\n`;
    text += this.#line(this.#options.requestIdName, exchange.requestId);
    if (span !== undefined) text += this.#traceLines(span);
    return text + framing + upgrade + this.#fixedLines + "\r\n";
  }

  // Clients choose the names: the memory is bounded, and emptied rather than let grow.
  #judge(name: string): Verdict {
    const verdict = this.#verdictOf(name);
    if (name.length > LONGEST_REMEMBERED) return verdict;
    if (this.#verdicts.size >= MOST_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(name, verdict);
    return verdict;
  }

  #verdictOf(name: string): Verdict {
    if (name === "connection") return Verdict.Connection;
    if (name === "via" && !this.#removes.has(name)) return Verdict.Via;
    if (this.#dropped.has(name)) return Verdict.Dropped;
    if (HANDSHAKE.has(name)) return Verdict.Handshake;
    if (name === "max-forwards") return Verdict.MaxForwards;
    // CGI programs and their like see `X.Forwarded~For` as `X_FORWARDED_FOR`, and cannot tell it from the real one.
    const seen = folded(name);
    // "httpoxy": CGI programs see it as HTTP_PROXY, by which libraries choose a proxy for requests of their own.
    if (seen === "proxy" || this.#folded.has(seen)) return Verdict.Dropped;
    if (seen === "x-forwarded" || seen.startsWith("x-forwarded-")) {
      return seen === name ? Verdict.FromTrusted : Verdict.Dropped;
    }
    return name === "traceparent" || name === "tracestate" ? Verdict.Trace : Verdict.Passes;
  }

  #traceLines({ traceparent, tracestate }: CarriedTrace): string {
    return (traceparent === "" ? "" : this.#line("traceparent", traceparent)) +
      (tracestate === "" ? "" : this.#line("tracestate", tracestate));
  }

  // Of peers that are not believed, who send many requests each.
  #untrustedPeerFields(exchange: Exchange): string {
    const { peer, authority, scheme } = exchange.head;
    const known = this.#strangers.get(peer.address);
    if (known !== undefined && known.authority === authority && known.scheme === scheme) return known.lines;
    const lines = this.#forwardingLines(exchange, undefined);
    if (this.#strangers.size >= MOST_STRANGERS) this.#strangers.clear();
    this.#strangers.set(peer.address, { authority, scheme, lines });
    return lines;
  }

  #forwardingLines(exchange: Exchange, told: ForwardedClient | undefined): string {
    const { head } = exchange;
    const peer = head.peer.address;
    const proto = told?.proto ?? head.scheme;
    const host = told?.host ?? head.authority;
    const chain = told?.forwardedFor;
    let text = "";
    if (this.#options.addXForwarded) {
      const addresses = chain === undefined ? peer : peer === "" ? chain : `${chain}, ${peer}`;
      // A peer on a unix socket, or one that an embedder does not tell of, has no address to speak of.
      text = (addresses === "" ? "" : this.#line("x-forwarded-for", addresses)) +
        this.#line("x-forwarded-proto", proto) +
        this.#line("x-forwarded-host", host) +
        this.#line("x-forwarded-port", told?.port ?? portAsked(host, proto)) +
        (exchange.clientAddress === "" ? "" : this.#line("x-real-ip", exchange.clientAddress));
    } else if (told !== undefined) {
      for (const [name, value] of told.fields) {
        if (name !== "forwarded" && name !== "x-forwarded-prefix") text += this.#line(name, value);
      }
    }
    if (this.#options.addForwarded) {
      // A peer that tells no address of a client speaks of its own hop.
      const own = chain === undefined
        ? forwardedElement(peer, firstMember(host), firstMember(proto))
        : forwardedElement(peer, head.authority, head.scheme);
      text += this.#line("forwarded", told?.forwarded === undefined ? own : `${told.forwarded}, ${own}`);
    } else if (told?.forwarded !== undefined && told.fields.has("forwarded")) {
      text += this.#line("forwarded", told.forwarded);
    }
    return text;
  }

  #prefixLine(prefix: string, told: ForwardedClient | undefined): string {
    const outer = told?.prefix ?? "";
    const whole = this.#options.addXForwarded ? outer.replace(/\/+$/, "") + prefix : outer;
    return whole === "" ? "" : this.#line("x-forwarded-prefix", whole);
  }

  #line(name: string, value: string): string {
    return this.#suppressed.has(name) ? "" : `${name}: ${value}\r\n`;
  }
}

/** What becomes of a field of the client's. */
enum Verdict {
  Passes,
  Dropped,
  /** Passes when the peer is a trusted proxy. */
  FromTrusted,
  /** Passes when the exchange is not traced. */
  Trace,
  /** Passes when the proxy makes no WebSocket handshake of its own. */
  Handshake,
  /** Counted down, for methods that count hops. */
  MaxForwards,
  Connection,
  Via,
}

/** Lines that the proxy writes itself, or that it answers for. */
const OWN: readonly string[] = [...FORWARDING_FIELDS, "host", "content-length", "expect", "via"];

/** What belongs to the client's WebSocket handshake alone: the upstream gets one of the proxy's own. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
]);

const MOST_STRANGERS = 1024;

const MOST_REMEMBERED = 1024;
const LONGEST_REMEMBERED = 64;

// Only letters and digits are told apart.
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "-");
}

function portAsked(host: string, proto: string): string {
  return String(portOf(firstMember(host)) ?? (/^(?:https|wss)$/i.test(firstMember(proto)) ? 443 : 80));
}

// Connection may name any field of the client's own; the proxy's own lines are added after this.
function withoutNamed(text: string, named: string[]): string {
  const lines = text.split("\r\n");
  const kept = lines.filter((line, index) => {
    if (index < 2 || line === "") return true;
    return !named.includes(line.slice(0, line.indexOf(":")).toLowerCase());
  });
  return kept.join("\r\n");
}
