/**
 * One redirect: which requests it is for, and where they are sent.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { type NamedParts, PathPattern } from "../path_pattern.ts";
import { PlaceholderText } from "../../exchange/placeholders.ts";

/** What the `from` of a redirect is made of. */
export interface RedirectSource {
  /** `http` or `https`; undefined for both. */
  readonly scheme: string | undefined;
  /** Host in lower case; undefined for all of the site. */
  readonly host: string | undefined;
  /** Pattern of the path. */
  readonly path: string;
}

/**
 * The parts of `from`.
 *
 * @throws {SyntaxError} When it names a scheme without a host, or one that is not of HTTP.
 */
export function parseSource(from: string): RedirectSource {
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/i.exec(from);
  if (url === null) return { scheme: undefined, host: undefined, path: from };
  const [, scheme, host, path = "/*"] = url;
  if (!/^https?$/i.test(scheme)) throw new SyntaxError(`"${scheme}" is neither http nor https`);
  if (!/^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i.test(host)) throw new SyntaxError(`"${host}" is no host`);
  return { scheme: scheme.toLowerCase(), host: host.toLowerCase(), path };
}

/** A compiled redirect. Immutable. */
export class Redirect {
  readonly status: number;
  readonly pattern: PathPattern;
  readonly source: RedirectSource;
  readonly #target: PlaceholderText;
  readonly #keepsQuery: boolean;
  readonly #relative: boolean;

  /**
   * @throws {SyntaxError} When `from` is malformed, or `to` has a placeholder that is not known.
   */
  constructor({ from, to, status }: { from: string; to: string; status: number }) {
    this.source = parseSource(from);
    this.pattern = new PathPattern(this.source.path);
    this.#target = new PlaceholderText(to, { parts: this.pattern.names });
    this.#keepsQuery = !to.includes("?") && !to.includes("#");
    this.#relative = !/^https?:/.test(to);
    this.status = status;
  }

  /**
   * The location for a request; undefined if the redirect is not for it.
   *
   * @param path Of the request, in match form.
   */
  location(exchange: Exchange, path: string): string | undefined {
    const { scheme, host } = this.source;
    if (host !== undefined && host !== exchange.head.host) return undefined;
    if (scheme !== undefined && scheme !== exchange.clientScheme) return undefined;
    const parts = this.pattern.match(path);
    return parts === undefined ? undefined : this.#locationOf(exchange, parts);
  }

  #locationOf(exchange: Exchange, parts: NamedParts): string {
    const { query } = exchange;
    let target = this.#target.text(exchange, parts);
    // "//evil.com" and "/\evil.com" would lead to another host.
    if (this.#relative) target = target.replace(/^[/\\]+/, "/");
    return this.#keepsQuery ? target + query : target;
  }
}
