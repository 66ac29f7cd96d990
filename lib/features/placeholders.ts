/**
 * Text with placeholders, such as `https://{host}/{path}`. Compiled once, when the config is built.
 *
 * @module
 */

import type { Exchange } from "../exchange/exchange.ts";
import { headerValue } from "../http/header_lines.ts";
import type { NamedParts } from "./path_pattern.ts";

/** Gives the value of a placeholder in an exchange. */
type Value = (exchange: Exchange, parts: NamedParts) => string;

/** A text with placeholders. Immutable. */
export class PlaceholderText {
  readonly #pieces: readonly (string | Value)[];

  /**
   * @param names Names of a pattern's parts.
   * @throws {SyntaxError} When it has a placeholder that is not known.
   */
  constructor(source: string, names: readonly string[] = []) {
    const pieces: (string | Value)[] = [];
    let at = 0;
    for (const { 0: whole, 1: name, index } of source.matchAll(PLACEHOLDER)) {
      pieces.push(source.slice(at, index), valueOf(name, names));
      at = index + whole.length;
    }
    pieces.push(source.slice(at));
    this.#pieces = pieces.filter((piece) => piece !== "");
  }

  /** The text for an exchange. A value that begins with a slash behind a slash loses its own. */
  text(exchange: Exchange, parts: NamedParts = {}): string {
    let text = "";
    for (const piece of this.#pieces) {
      if (typeof piece === "string") text += piece;
      else {
        const value = piece(exchange, parts);
        text += text.endsWith("/") && value.startsWith("/") ? value.slice(1) : value;
      }
    }
    return text;
  }
}

/** The placeholders that stand for facts of the request. */
const FACTS: Readonly<Record<string, Value>> = {
  "path": ({ head }) => head.path,
  "query": ({ head }) => head.query.slice(1),
  "host": ({ head }) => head.host,
  "port": ({ head: { authority, host } }) => authority.slice(host.length + 1),
  "scheme": (exchange) => exchange.clientScheme,
  "method": ({ head }) => head.method,
  "client.ip": ({ clientAddress }) => clientAddress,
  "request.id": ({ requestId }) => requestId,
  "route": ({ route }) => route,
  "site": ({ site }) => site,
  "upstream": ({ upstream }) => upstream,
  "tls.version": ({ client }) => client.tls?.version ?? "",
  "tls.cipher": ({ client }) => client.tls?.cipher ?? "",
  "tls.server_name": ({ client }) => client.tls?.serverName ?? "",
};

/** The names of all placeholders, for messages. */
const PLACEHOLDERS: readonly string[] = [...Object.keys(FACTS), "header.NAME"];

function valueOf(name: string, names: readonly string[]): Value {
  if (names.includes(name)) return (_, parts) => parts[name];
  if (Object.hasOwn(FACTS, name)) return FACTS[name];
  const header = /^header\.([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(name)?.[1].toLowerCase();
  if (header !== undefined) return ({ head }) => headerValue(head.headers, header) ?? "";
  const known = [...names, ...PLACEHOLDERS].map((one) => `{${one}}`).join(", ");
  throw new SyntaxError(`{${name}} is not known, only ${known}`);
}

const PLACEHOLDER = /\{([^{}\s]*)\}/g;
