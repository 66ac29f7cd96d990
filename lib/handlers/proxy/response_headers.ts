/**
 * The header lines that go back to the client: the upstream's in their order, less what belongs to its hop.
 *
 * @module
 */

import { connectionNamed, HOP_BY_HOP } from "../../http/hop_by_hop.ts";
import type { HeaderLines } from "../../http/message.ts";
import { REDIRECT_FIELDS, type Redirects, type UpstreamRedirects } from "./redirects.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/** How response headers are rewritten. */
export interface ResponseHeaderOptions {
  /** Name of this proxy in Via. */
  readonly viaName: string;
  /** Lines that replace the upstream's, `[name, value, …]`. */
  readonly set: readonly string[];
  /** Lines that are added to the upstream's, `[name, value, …]`. */
  readonly add: readonly string[];
  /** Names that are taken out, in lower case. */
  readonly remove: readonly string[];
  /** Name of the field that carries the request id. */
  readonly requestIdName: string;
  /** Whether a request id that the upstream put on its response is kept. */
  readonly keepsRequestId: boolean;
  /** Whether responses carry a request id of the proxy's. */
  readonly addsRequestId: boolean;
}

/** Rewrites response headers; built once for each route. */
export class ResponseHeaders {
  readonly #viaName: string;
  readonly #requestIdName: string;
  readonly #lowerRequestIdName: string;
  readonly #dropped: ReadonlySet<string>;
  readonly #fixed: readonly string[];
  readonly #addsVia: boolean;
  readonly #addsRequestId: boolean;
  readonly #keepsRequestId: boolean;

  /** Prepares what does not depend on the answer. */
  constructor(options: ResponseHeaderOptions) {
    this.#viaName = options.viaName;
    this.#requestIdName = options.requestIdName;
    const requestId = this.#lowerRequestIdName = options.requestIdName.toLowerCase();
    // What the config takes out or sets for itself, the proxy does not add.
    const suppressed = new Set(options.remove);
    for (let i = 0; i < options.set.length; i += 2) suppressed.add(options.set[i].toLowerCase());
    this.#addsVia = !suppressed.has("via");
    this.#addsRequestId = options.addsRequestId && !suppressed.has(requestId);
    this.#keepsRequestId = options.keepsRequestId && !suppressed.has(requestId);
    this.#dropped = new Set([...HOP_BY_HOP, "content-length", "via", requestId, ...suppressed]);
    this.#fixed = [...options.set, ...options.add];
  }

  /**
   * The lines for the client. Content-Length is among them when the answer's framing has one.
   *
   * @param redirects Maps addresses of the upstream back; undefined where nothing needs to be mapped.
   * @param authority The client's.
   */
  build(head: ResponseHead, requestId: string, redirects?: UpstreamRedirects, authority = ""): HeaderLines {
    const { headers, lowerNames } = head;
    const named = head.connection === undefined ? undefined : connectionNamed(head.connection);
    const lines: HeaderLines = [];
    let via = "";
    let addsRequestId = this.#addsRequestId;
    for (let i = 0; i < lowerNames.length; i++) {
      const lower = lowerNames[i];
      if (this.#dropped.has(lower)) {
        if (lower === "via") via += headers[2 * i + 1] + ", ";
        // Several lines that said the same become one.
        else if (lower === "content-length" && head.contentLength >= 0 && !lines.includes("content-length")) {
          lines.push("content-length", String(head.contentLength));
        } else if (lower === this.#lowerRequestIdName && this.#keepsRequestId) {
          lines.push(headers[2 * i], headers[2 * i + 1]);
          addsRequestId = false;
        }
        continue;
      }
      if (named !== undefined && named.includes(lower)) continue;
      const value = headers[2 * i + 1];
      const mapped = redirects !== undefined && REDIRECT_FIELDS.has(lower);
      lines.push(headers[2 * i], mapped ? redirects.map(lower, value, authority) : value);
    }
    if (this.#addsVia) lines.push("via", `${via}1.1 ${this.#viaName}`);
    if (addsRequestId) lines.push(this.#requestIdName, requestId);
    for (let i = 0; i < this.#fixed.length; i++) lines.push(this.#fixed[i]);
    return lines;
  }
}

/** How the header fields of a response are rewritten. */
export interface ResponseRules {
  /** Rules for all fields. */
  readonly responseHeaders: ResponseHeaders;
  /** Maps addresses of upstreams back; undefined where nothing needs to be mapped. */
  readonly redirects: Redirects | undefined;
}
