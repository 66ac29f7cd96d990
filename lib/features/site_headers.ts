/**
 * The header fields that a site puts on every response, whoever made it: an upstream, the file server, an endpoint of its
 * own, an error. The one place that decides which of several values for one name goes out.
 *
 * @module
 */

import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import type { HeadersConfig } from "./site_headers_schema.ts";
import { setHeader } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import type { ResponseHeaderOptions } from "../handlers/proxy/response_headers.ts";

/** The fields of one site's responses; built once. */
export class SiteHeaders {
  /** Name of the field that carries the request id, as the config writes it. */
  readonly requestIdName: string;
  /** `[sites.headers]`, `[name, value, …]`, each name once. */
  readonly #set: readonly string[];
  /** Whether responses carry the request id: not where the config sets that field or takes it away. */
  readonly #addsRequestId: boolean;
  readonly #keepsRequestId: boolean;

  /** Prepares what does not depend on the response. */
  constructor({ headers, request_id: requestId, proxy }: HeadersConfig & { readonly proxy?: ProxyConfig | undefined }) {
    this.#set = eachOnce(Object.entries(headers).flat());
    this.requestIdName = requestId.header;
    this.#keepsRequestId = requestId.trust;
    this.#addsRequestId = this.#addsRequestIdWith(proxy?.headers);
  }

  /**
   * The rules for what comes back from upstreams. A value of `headers.response.set` is for these alone, so it takes
   * precedence over one of `[sites.headers]`.
   *
   * @param via Name of this server in Via.
   */
  proxied({ headers }: ProxyConfig, via: string): ResponseHeaderOptions {
    const set = eachOnce(Object.entries(headers.response.set).flat());
    const own = names(set);
    const shared = this.#set.filter((_, index) => !own.includes(this.#set[index & ~1].toLowerCase()));
    return {
      viaName: via,
      requestIdName: this.requestIdName,
      keepsRequestId: this.#keepsRequestId,
      addsRequestId: this.#addsRequestIdWith(headers),
      set: [...set, ...shared],
      add: Object.entries(headers.add).concat(Object.entries(headers.response.add)).flat(),
      remove: [...headers.remove, ...headers.response.remove],
    };
  }

  #addsRequestIdWith(headers: ProxyConfig["headers"] | undefined): boolean {
    const lowerName = this.requestIdName.toLowerCase();
    const removed = headers === undefined ? [] : [...headers.remove, ...headers.response.remove];
    return !removed.includes(lowerName) && !names(this.#set).includes(lowerName);
  }

  /** Puts them on a response that comes from no upstream, in place. */
  finish(lines: HeaderLines, requestId: string): void {
    for (let i = 0; i < this.#set.length; i += 2) setHeader(lines, this.#set[i], this.#set[i + 1]);
    if (this.#addsRequestId) setHeader(lines, this.requestIdName, requestId);
  }
}

// Names compare without case; the last value counts, as in a table that names a key once.
function eachOnce(lines: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) setHeader(kept, lines[i], lines[i + 1]);
  return kept;
}

function names(lines: readonly string[]): string[] {
  return lines.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
}
