/**
 * The head of the request that goes upstream: the client's lines, less what belongs to its own hop or was made up by it,
 * plus what the proxy knows for itself.
 *
 * @module
 */

import { plainAddress } from "../http/ip_address.ts";
import { portOf } from "../http/authority.ts";
import { connectionNamed, HOP_BY_HOP } from "../http/hop_by_hop.ts";
import type { CarriedTrace } from "../telemetry/exchange_span.ts";
import type { Exchange } from "./exchange.ts";

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

/** Rewrites request headers; built once for each route. */
export class RequestHeaders {
  readonly #options: RequestHeaderOptions;
  readonly #dropped: ReadonlySet<string>;
  /** Those of exchanges that are traced. */
  readonly #droppedTraced: ReadonlySet<string>;
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
    this.#droppedTraced = new Set([...this.#dropped, "traceparent", "tracestate"]);
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

  /**
   * The head as it goes out, with its empty line.
   *
   * @param target Path and query.
   * @param host Value of Host.
   * @param framing `content-length` or `transfer-encoding` line with its CRLF, or empty.
   */
  build(exchange: Exchange, target: string, host: string, framing: string): string {
    const { head, peerTrusted, span } = exchange;
    const { headers } = head;
    const dropped = span === undefined ? this.#dropped : this.#droppedTraced;
    let text = `${head.method} ${target} HTTP/1.1\r\nhost: ${this.#host ?? host}\r\n`;
    let named: string[] | undefined;
    let via = "";
    let incoming: Incoming | undefined;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      const value = headers[i + 1];
      if (!dropped.has(name)) {
        // Servers that turn `-` into `_` (CGI, WSGI) cannot tell `X_Forwarded_For` from the real one.
        if (name.indexOf("_") >= 0 && this.#guarded(name.replaceAll("_", "-"))) continue;
        if (name.charCodeAt(0) === LETTER_X && name.startsWith("x-forwarded-") && !peerTrusted) continue;
        text += `${name}: ${value}\r\n`;
      } else if (name === "connection") {
        named = connectionNamed(value);
      } else if (name === "via") {
        if (!this.#removes.has(name)) via = via === "" ? value : `${via}, ${value}`;
      } else if (peerTrusted && FORWARDING.has(name) && !this.#removes.has(name)) {
        incoming ??= {};
        const previous = incoming[name as keyof Incoming];
        incoming[name as keyof Incoming] = previous === undefined ? value : `${previous}, ${value}`;
      }
    }
    if (named !== undefined) text = withoutNamed(text, named);
    text += peerTrusted ? this.#forwardingLines(exchange, incoming) : this.#strangersLines(exchange);
    if (!this.#suppressed.has("via")) text += `via: ${via === "" ? "" : via + ", "}1.1 ${this.#options.viaName}\r\n`;
    text += this.#line(this.#options.requestIdName, exchange.requestId);
    if (span !== undefined) text += this.#traceLines(span);
    return text + framing + this.#fixedLines + "\r\n";
  }

  #traceLines({ traceparent, tracestate }: CarriedTrace): string {
    return (traceparent === "" ? "" : this.#line("traceparent", traceparent)) +
      (tracestate === "" ? "" : this.#line("tracestate", tracestate));
  }

  #guarded(name: string): boolean {
    return this.#dropped.has(name) || name.startsWith("x-forwarded-");
  }

  // Of peers that are not believed, who send many requests each.
  #strangersLines(exchange: Exchange): string {
    const { peer, authority, scheme } = exchange.head;
    const known = this.#strangers.get(peer.address);
    if (known !== undefined && known.authority === authority && known.scheme === scheme) return known.lines;
    const lines = this.#forwardingLines(exchange, undefined);
    if (this.#strangers.size >= MOST_STRANGERS) this.#strangers.clear();
    this.#strangers.set(peer.address, { authority, scheme, lines });
    return lines;
  }

  #forwardingLines(exchange: Exchange, incoming: Incoming | undefined): string {
    const { head } = exchange;
    const peer = head.peer.address;
    let text = "";
    if (this.#options.addXForwarded) {
      const forwardedFor = incoming?.["x-forwarded-for"];
      const chain = forwardedFor === undefined ? peer : peer === "" ? forwardedFor : `${forwardedFor}, ${peer}`;
      // A peer on a unix socket, or one that an embedder does not tell of, has no address to speak of.
      text = (chain === "" ? "" : this.#line("x-forwarded-for", chain)) +
        this.#line("x-forwarded-proto", incoming?.["x-forwarded-proto"] ?? head.scheme) +
        this.#line("x-forwarded-host", incoming?.["x-forwarded-host"] ?? head.authority) +
        this.#line("x-forwarded-port", incoming?.["x-forwarded-port"] ?? forwardedPort(exchange)) +
        (exchange.clientAddress === "" ? "" : this.#line("x-real-ip", exchange.clientAddress));
    } else if (incoming !== undefined) {
      for (
        const name of ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-real-ip"]
      ) {
        const value = incoming[name as keyof Incoming];
        if (value !== undefined) text += this.#line(name, value);
      }
    }
    if (this.#options.addForwarded) {
      const own = forwardedElement(peer, head.authority, head.scheme);
      text += this.#line("forwarded", incoming?.forwarded === undefined ? own : `${incoming.forwarded}, ${own}`);
    } else if (incoming?.forwarded !== undefined) {
      text += this.#line("forwarded", incoming.forwarded);
    }
    return text;
  }

  #line(name: string, value: string): string {
    return this.#suppressed.has(name) ? "" : `${name}: ${value}\r\n`;
  }
}

/** One element of Forwarded (RFC 7239, sections 4 and 6): addresses of IPv6 in brackets, and quoted for them. */
export function forwardedElement(address: string, authority: string, scheme: string): string {
  const plain = plainAddress(address);
  const node = plain === "" ? "unknown" : plain.includes(":") ? `"[${plain}]"` : plain;
  // `:` is no token character, so a host with a port needs quotes.
  const host = /^[A-Za-z0-9._-]+$/.test(authority) ? authority : `"${authority}"`;
  return `for=${node};host=${host};proto=${scheme}`;
}

interface Incoming {
  "x-forwarded-for"?: string;
  "x-forwarded-proto"?: string;
  "x-forwarded-host"?: string;
  "x-forwarded-port"?: string;
  "x-real-ip"?: string;
  "forwarded"?: string;
}

const FORWARDING: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-real-ip",
  "forwarded",
]);

/** Lines that the proxy writes itself, or that it answers for. */
const OWN: readonly string[] = [...FORWARDING, "host", "content-length", "expect", "via"];

const LETTER_X = 0x78;
const MOST_STRANGERS = 1024;

function forwardedPort(exchange: Exchange): string {
  const { authority, scheme } = exchange.head;
  return String(portOf(authority) ?? (scheme === "https" ? 443 : 80));
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
