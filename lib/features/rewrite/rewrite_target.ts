/**
 * What a rewrite makes of a request: a path, and a query if `to` has one. Values are encoded for the place in which they
 * stand: what was encoded in the request stays encoded, and no value adds a segment's end or a parameter that it is not.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { encodeWritten, hasDotSegments, matchPath } from "../../routing/match_path.ts";
import type { NamedParts } from "../path_pattern.ts";
import { placeholderPieces, PlaceholderText } from "../../exchange/placeholders.ts";

/** Path and query of a rewritten request. */
export interface RewrittenTarget {
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/** Text, or the value of a placeholder with the characters to encode in it. */
type Piece = string | { readonly value: PlaceholderText; readonly encoded: RegExp };

/** The `to` of a rewrite, compiled. Immutable. */
export class RewriteTarget {
  readonly #path: readonly Piece[];
  /** The parameters between the `&` of the query; undefined where the request's query is kept. */
  readonly #parameters: readonly (readonly Piece[])[] | undefined;

  /**
   * @param names Names of the parts of `from`.
   * @throws {SyntaxError} When `to` has a placeholder that is not known, or its path is none.
   */
  constructor(to: string, names: readonly string[]) {
    const mark = to.indexOf("?");
    const path = mark < 0 ? to : to.slice(0, mark);
    const sample = placeholderPieces(path).map((piece) => typeof piece === "string" ? piece : "x").join("");
    const plain = matchPath(encodeWritten(sample));
    if (plain === undefined) throw new SyntaxError('"%" stands in it without two hexadecimal digits');
    if (hasDotSegments(plain)) throw new SyntaxError('it has a segment "." or ".."');
    this.#path = pieces(path, names, PATH_RULES);
    if (mark < 0) return;
    this.#parameters = to.slice(mark + 1).split("&").filter((one) => one !== "")
      .map((one) => pieces(one, names, QUERY_RULES));
  }

  /**
   * Path and query for a request.
   *
   * @param parts The parts of its path.
   */
  of(exchange: Exchange, parts: NamedParts): RewrittenTarget {
    const path = joined(this.#path, exchange, parts);
    if (this.#parameters === undefined) return { path, query: exchange.head.query };
    let query = "";
    for (const parameter of this.#parameters) {
      const text = joined(parameter, exchange, parts);
      // As `&{query}` of a request without a query.
      if (text !== "") query += `${query === "" ? "?" : "&"}${text}`;
    }
    return { path, query };
  }
}

/** Characters that are percent-encoded, by what a value is part of. */
interface EncodingRules {
  /** In a value from the path, or in a part of it. */
  readonly path: RegExp;
  /** In a value from the query. */
  readonly query: RegExp;
  /** In any other value, which is not encoded yet. */
  readonly text: RegExp;
}

const PATH_RULES: EncodingRules = {
  path: /[^\x21-\x7e]|[?#]/g,
  query: /[^\x21-\x7e]|[?#]|%(?![0-9A-Fa-f]{2})/g,
  text: /[^\w.~!$'()*,:@-]/g,
};
const QUERY_RULES: EncodingRules = {
  // "+" is a space in the query of a form, and "&", ";" and "=" part its parameters.
  path: /[^\x21-\x7e]|[&+;=#]/g,
  query: /[^\x21-\x7e]|#/g,
  text: /[^\w.~-]/g,
};

function pieces(source: string, names: readonly string[], rules: EncodingRules): Piece[] {
  return placeholderPieces(source).map((piece) => {
    if (typeof piece === "string") return piece;
    const { name } = piece;
    const kind = names.includes(name) || name === "path" ? "path" : /^query(?:\.|$)/.test(name) ? "query" : "text";
    return { value: new PlaceholderText(`{${name}}`, { parts: names }), encoded: rules[kind] };
  });
}

/** A value that begins with a slash behind a slash loses its own. */
function joined(pieces: readonly Piece[], exchange: Exchange, parts: NamedParts): string {
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") text += piece;
    else {
      const value = piece.value.text(exchange, parts).replace(piece.encoded, percentEncoded);
      text += text.endsWith("/") && value.startsWith("/") ? value.slice(1) : value;
    }
  }
  return text;
}

/** Values have one character for each byte. */
function percentEncoded(char: string): string {
  const code = char.charCodeAt(0);
  return code > 0xff ? encodeURIComponent(char.toWellFormed()) : `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
}
