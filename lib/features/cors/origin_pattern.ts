/**
 * One entry of `cors.origins`: an origin (RFC 6454, section 6.2), one with a wildcard for the hosts below another, or a
 * regular expression. Expressions are matched without backtracking, since the Origin field is the client's text.
 *
 * @module
 */

import type { RE2JS } from "re2js";
import { linearExpression } from "../expression.ts";

/** Longest Origin that is compared: a scheme, a host of 253 characters and a port. */
const MAX_ORIGIN_CHARS = 300;

/** Which origins an entry is for. Immutable. */
export class OriginPattern {
  /** The one origin that it is for, in lower case; undefined where it is for several. */
  readonly exact: string | undefined;
  readonly #before: string = "";
  readonly #behind: string = "";
  readonly #expression: RE2JS | undefined;

  /**
   * @param source `https://app.example.com`, `https://*.example.com`, `~` and an expression, or `*`.
   * @throws {SyntaxError} When it is none of them.
   */
  constructor(source: string) {
    if (source.startsWith("~")) {
      this.#expression = linearExpression(source.slice(1));
      return;
    }
    if (source === "*") return;
    const parts = ORIGIN.exec(source.toLowerCase());
    if (parts === null) throw new SyntaxError(`"${source}" is not an origin`);
    const [origin, scheme, wildcard, , port] = parts;
    if (DEFAULT_PORTS[scheme] === port) {
      throw new SyntaxError(`browsers leave out the port ${port} of ${scheme}: "${origin.slice(0, -port.length - 1)}"`);
    }
    if (wildcard === undefined) {
      this.exact = origin;
      return;
    }
    this.#before = `${scheme}://`;
    this.#behind = origin.slice(this.#before.length + 1);
  }

  /** Whether it is for `origin`, in lower case. */
  matches(origin: string): boolean {
    if (origin.length > MAX_ORIGIN_CHARS) return false;
    if (this.exact !== undefined) return origin === this.exact;
    if (this.#expression !== undefined) return this.#expression.matcher(origin).matches();
    if (this.#behind === "") return true;
    const { length } = origin;
    return origin.startsWith(this.#before) && origin.endsWith(this.#behind) &&
      HOST.test(origin.slice(this.#before.length, length - this.#behind.length));
  }
}

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;
/** One or several labels of a host. */
const HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };
