/**
 * The header lines for the client: the upstream's in their order, without hop-by-hop fields.
 *
 * @module
 */

import { connectionNamed, HOP_BY_HOP } from "../../http/hop_by_hop.ts";
import type { HeaderLines } from "../../http/message.ts";
import { MAPPED_FIELDS, type ReverseMapping, type UpstreamReverseMapping } from "./reverse_mapping.ts";
import { type FixedLine, fixedLine } from "../../http1/header_bytes.ts";
import { FieldNameSet } from "../../http1/field_name_set.ts";
import { PassedLines } from "../../http1/passed_lines.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/** How response headers are rewritten. */
export interface ResponseHeaderOptions {
  /** Name of this proxy in Via. */
  readonly viaName: string;
  /** Name, in lower case, of the field whose value from the upstream is not trusted: the request id; or empty. */
  readonly untrustedName: string;
}

/** Rewrites response headers; built once for each site. */
export class ResponseHeaders {
  /** Of HTTP/1.0 and HTTP/1.1. */
  readonly #viaValues: readonly [string, string];
  readonly #viaHttp2: string;
  /** The same of HTTP/1.0 and HTTP/1.1 as lines. */
  readonly #viaLines: readonly FixedLine[];
  readonly #dropped: FieldNameSet;
  readonly #passed = new PassedLines();

  /** Prepares what does not depend on the response. */
  constructor({ viaName, untrustedName }: ResponseHeaderOptions) {
    // The version is that of the upstream's response (RFC 9110, section 7.6.3).
    this.#viaValues = [`1.0 ${viaName}`, `1.1 ${viaName}`];
    this.#viaLines = this.#viaValues.map((value) => fixedLine("via", value));
    this.#viaHttp2 = `2.0 ${viaName}`;
    this.#dropped = new FieldNameSet([...HOP_BY_HOP, "content-length", "via", untrustedName]);
  }

  /**
   * The lines for the client. Content-Length is among them when the response's framing has one.
   *
   * @param redirects Maps addresses of the upstream; undefined where nothing needs to be mapped.
   * @param authority The client's authority.
   */
  build(head: ResponseHead, redirects?: UpstreamReverseMapping, authority = ""): HeaderLines {
    const { headers, lowerNames } = head;
    const named = head.connection === undefined ? undefined : connectionNamed(head.connection);
    const lines: HeaderLines = [];
    let via = "";
    for (let i = 0; i < lowerNames.length; i++) {
      const lower = lowerNames[i];
      if (this.#dropped.hasText(lower)) {
        if (lower === "via") via += headers[2 * i + 1] + ", ";
        // Several lines of the same value become one.
        else if (lower === "content-length" && head.contentLength >= 0 && !lines.includes("content-length")) {
          lines.push("content-length", String(head.contentLength));
        }
        continue;
      }
      if (named !== undefined && named.includes(lower)) continue;
      const value = headers[2 * i + 1];
      const mapped = redirects !== undefined && MAPPED_FIELDS.has(lower);
      lines.push(headers[2 * i], mapped ? redirects.map(lower, value, authority) : value);
    }
    const own = head.majorVersion === 2 ? this.#viaHttp2 : this.#viaValues[head.minorVersion];
    lines.push("via", via === "" ? own : via + own);
    return lines;
  }

  /**
   * As {@linkcode build}, with the lines of the upstream as bytes; where its responses are mapped, that is not possible.
   * What is returned is valid until the next call, and as long as the head; undefined where the head did not come as bytes.
   */
  pass(head: ResponseHead): PassedLines | undefined {
    const { raw } = head;
    if (raw === undefined) return undefined;
    const named = head.connection === undefined ? undefined : connectionNamed(head.connection);
    const passed = this.#passed;
    passed.begin(raw);
    let via = "";
    for (let line = 0; line < raw.lineCount; line++) {
      const name = raw.name(line);
      if (this.#dropped.has(name)) {
        if (name.lower === "via") via += raw.value(line) + ", ";
      } else if (named === undefined || !named.includes(name.lower)) passed.add(line);
    }
    passed.contentLength = head.contentLength;
    if (via === "") passed.setFixed(this.#viaLines[head.minorVersion]);
    else passed.others.push("via", via + this.#viaValues[head.minorVersion]);
    return passed;
  }
}

/** How the header fields of a response are rewritten. */
export interface ResponseRules {
  /** Rules for all fields. */
  readonly responseHeaders: ResponseHeaders;
  /** Maps addresses of upstreams; undefined where nothing needs to be mapped. */
  readonly redirects: ReverseMapping | undefined;
}
