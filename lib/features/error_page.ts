/**
 * The file of an error page. In HTML, JSON and plain text placeholders have values, which are escaped for where they stand; in HTML
 * not those in scripts and styles, whose braces are code.
 *
 * @module
 */

import type { Exchange } from "../exchange/exchange.ts";
import { placeholderPieces, PlaceholderText } from "../exchange/placeholders.ts";
import { mediaTypeOf } from "../http/media_type.ts";

/** Text, the value of a placeholder, or the status. */
type Piece = string | PlaceholderText | typeof STATUS;

/** One page, read once. Immutable. */
export class ErrorPage {
  readonly type: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  /** undefined for a page without placeholders. */
  readonly #pieces: readonly Piece[] | undefined;
  readonly #escape: (value: string) => string;

  /**
   * @param path Absolute path of the file.
   * @throws {Deno.errors.NotFound} Or another error of the file system, when the file cannot be read.
   */
  constructor(path: string) {
    this.type = mediaTypeOf(path);
    this.#bytes = Deno.readFileSync(path);
    const escape = ESCAPES.find(([type]) => this.type.startsWith(type))?.[1];
    this.#escape = escape ?? String;
    const pieces = escape === undefined ? [] : piecesOf(new TextDecoder().decode(this.#bytes), escape === escapeHtml);
    this.#pieces = pieces.every((piece) => typeof piece === "string") ? undefined : pieces;
  }

  /** The page for one failed exchange. */
  bytes(exchange: Exchange, status: number): Uint8Array<ArrayBuffer> {
    if (this.#pieces === undefined) return this.#bytes;
    let text = "";
    for (const piece of this.#pieces) {
      if (typeof piece === "string") text += piece;
      else text += piece === STATUS ? status : this.#escape(piece.text(exchange));
    }
    return new TextEncoder().encode(text);
  }
}

/** The exchange has its status when the response is delivered; this is that of the page. */
const STATUS = Symbol("status");
const CODE = /<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;

function piecesOf(source: string, html: boolean): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { 0: code, index } of html ? source.matchAll(CODE) : []) {
    pieces.push(...textPieces(source.slice(at, index)), code);
    at = index + code.length;
  }
  return [...pieces, ...textPieces(source.slice(at))];
}

/** Names that are not known are text: a page may show braces. */
function textPieces(source: string): Piece[] {
  return placeholderPieces(source).map((piece) => {
    if (typeof piece === "string") return piece;
    if (piece.name === "status") return STATUS;
    const value = new PlaceholderText(`{${piece.name}}`, { stage: "responded", keepsUnknown: true });
    return value.fixed ?? value;
  });
}

const ESCAPES: readonly (readonly [type: string, escape: (value: string) => string])[] = [
  ["text/html", escapeHtml],
  ["application/json", (value) => JSON.stringify(value).slice(1, -1)],
  ["text/plain", String],
];

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);
}
