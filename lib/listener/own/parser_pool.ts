/**
 * Parsers of heads, which connections take for as long as a head is incomplete: most heads arrive whole, so that one
 * parser serves all connections, and idle ones have none.
 *
 * @module
 */

import { HeadParser } from "../../http1/head_parser.ts";

/** Lends parsers. Owned by a listener. */
export class ParserPool {
  readonly #parsers: HeadParser[] = [];

  /** Takes a parser that is at the beginning of a head. */
  take(): HeadParser {
    return this.#parsers.pop() ?? new HeadParser("request");
  }

  /** Gives it back. What its head held is gone. */
  give(parser: HeadParser): void {
    parser.begin();
    if (this.#parsers.length < MAX_KEPT) this.#parsers.push(parser);
  }
}

const MAX_KEPT = 64;
