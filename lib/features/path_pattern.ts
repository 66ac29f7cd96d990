/**
 * A pattern of paths with named parts, for redirects and rewrites: literal segments, `:name` for one segment, `*` at the end
 * for any rest; or `~` and a regular expression that the whole path matches, with `(?<name>…)`. Every kind takes time in
 * proportion to the path, since clients choose the paths.
 *
 * @module
 */

import type { RE2JS } from "re2js";
import { linearExpression } from "./expression.ts";
import { writtenPath } from "../routing/match_path.ts";

/** The parts of a path that a pattern has named. The rest behind `*` is `*`. */
export type NamedParts = Readonly<Record<string, string>>;

/** Which paths a redirect or a rewrite is for. Immutable. */
export class PathPattern {
  /** Names of its parts. */
  readonly names: readonly string[];
  /** The one path that it is for, in match form; undefined where it is for several. */
  readonly exact: string | undefined;
  /** A path that it matches, with `x` for each part; undefined for an expression. */
  readonly sample: string | undefined;
  readonly #segments: readonly string[] = [];
  readonly #rest: boolean = false;
  readonly #expression: RE2JS | undefined;

  /**
   * @throws {SyntaxError} When it is no path, has a `*` that is not at its end, or an expression that is malformed.
   */
  constructor(source: string) {
    if (source.startsWith("~")) {
      this.#expression = linearExpression(source.slice(1));
      this.names = Object.keys(this.#expression.namedGroups());
      return;
    }
    const path = writtenPath(source);
    if (!source.startsWith("/") || path === undefined) throw new SyntaxError(`"${source}" is no path`);
    this.#rest = path.endsWith("*");
    const fixed = this.#rest ? path.slice(0, -1) : path;
    if (fixed.includes("*")) throw new SyntaxError('"*" stands elsewhere than at the end');
    this.#segments = fixed.split("/").slice(1);
    const names = this.#segments.filter((segment) => NAMED.test(segment)).map((segment) => segment.slice(1));
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new SyntaxError(`":${twice}" stands there twice`);
    if (this.#rest && NAMED.test(this.#segments.at(-1) ?? "")) throw new SyntaxError('no "/" stands before "*"');
    this.names = this.#rest ? [...names, "*"] : names;
    if (this.names.length === 0) this.exact = path;
    this.sample = `/${this.#segments.map((segment) => NAMED.test(segment) ? "x" : segment).join("/")}${
      this.#rest ? "x" : ""
    }`;
  }

  /**
   * The named parts of a path that matches, as they stand in it; undefined if it does not match.
   *
   * @param path In match form.
   */
  match(path: string): NamedParts | undefined {
    if (this.exact !== undefined) return path === this.exact ? NO_PARTS : undefined;
    if (this.#expression !== undefined) return this.#matchExpression(this.#expression, path);
    const parts: Record<string, string> = {};
    const segments = this.#segments;
    const last = segments.length - 1;
    let at = 1;
    for (let i = 0; i < last; i++) {
      const end = path.indexOf("/", at);
      if (end < 0 || !takes(segments[i], path.slice(at, end), parts)) return undefined;
      at = end + 1;
    }
    const tail = path.slice(at);
    if (!this.#rest) return !tail.includes("/") && takes(segments[last], tail, parts) ? parts : undefined;
    if (!tail.startsWith(segments[last])) return undefined;
    parts["*"] = tail.slice(segments[last].length);
    return parts;
  }

  #matchExpression(expression: RE2JS, path: string): NamedParts | undefined {
    const matcher = expression.matcher(path);
    if (!matcher.matches()) return undefined;
    return Object.fromEntries(this.names.map((name) => [name, matcher.group(name) ?? ""]));
  }
}

function takes(segment: string, text: string, parts: Record<string, string>): boolean {
  if (!segment.startsWith(":")) return segment === text;
  if (text === "") return false;
  parts[segment.slice(1)] = text;
  return true;
}

const NAMED = /^:[A-Za-z_]\w*$/;
const NO_PARTS: NamedParts = Object.freeze({});
