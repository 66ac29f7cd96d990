/**
 * The oracles of the parser and of the chunked decoder: the same rules written as grammar, slow and obvious. Whatever they say, parser and
 * decoder must say too.
 *
 * @module
 */

import type { HeadKind } from "../../lib/http1/head_parser.ts";
import type { HeadOutcome } from "./outcome.ts";

const LEGAL = /^[\t\x20-\x7e\x80-\xff]*$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*(.*?)[\t ]*$/;
const FIELD_SO_FAR = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]*|[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)$/;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (.+) HTTP\/1\.([01])$/;
const STATUS_LINE = /^HTTP\/(\d)\.(\d) +([1-9]\d\d)(?: .*)?$/;
const MALFORMED: HeadOutcome = { state: "malformed", error: "" };

/** What becomes of a head. Of a malformed one it tells no more than that. */
export function twinOutcome(text: string, kind: HeadKind, bareLineFeeds: boolean): HeadOutcome {
  let first: (string | number)[] | undefined = kind === "trailers" ? [] : undefined;
  const lines: string[] = [];
  let rest = text;
  for (;;) {
    const found = /^([^\r\n]*)(\r\n|\n)/.exec(rest);
    if (found === null) return unfinished(rest, first === undefined);
    const [whole, line, lineEnd] = found;
    if (!LEGAL.test(line) || (lineEnd === "\n" && !bareLineFeeds)) return MALFORMED;
    rest = rest.slice(whole.length);
    const length = text.length - rest.length;
    if (first === undefined) {
      if (line === "" && kind === "request") return { state: "head", first: [], lines: [], length, declared: -1 };
      first = firstLine(line, kind);
      if (first === undefined) return MALFORMED;
    } else if (line === "") {
      const minorVersion = Number(first.at(-1));
      return {
        state: "head",
        first,
        lines,
        length,
        declared: kind === "trailers" ? 0 : declared(lines, kind, minorVersion),
      };
    } else {
      const field = FIELD.exec(line);
      if (field === null) return MALFORMED;
      lines.push(field[1], field[2]);
    }
  }
}

/** A line without an end: it may become a good one, or cannot any more. */
function unfinished(rest: string, isFirst: boolean): HeadOutcome {
  const line = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
  if (isFirst) return LEGAL.test(line) ? { state: "more" } : MALFORMED;
  const good = rest === line ? FIELD_SO_FAR.test(line) : line === "" || FIELD.test(line) && LEGAL.test(line);
  return good ? { state: "more" } : MALFORMED;
}

function firstLine(line: string, kind: HeadKind): (string | number)[] | undefined {
  if (kind === "request") {
    const found = REQUEST_LINE.exec(line);
    return found === null ? undefined : [found[1], found[2], Number(found[3])];
  }
  const found = STATUS_LINE.exec(line);
  if (found === null) return undefined;
  const [, major, minor, status] = found;
  return [Number(status), major === "0" || (major === "1" && minor === "0") ? 0 : 1];
}

/** The length, or text where it is malformed. */
function declared(lines: string[], kind: HeadKind, minorVersion: number): number | string {
  const valuesOf = (name: string) => lines.filter((_, i) => i % 2 === 1 && lines[i - 1].toLowerCase() === name);
  const codings = valuesOf("transfer-encoding");
  let lengths = valuesOf("content-length");
  if (kind === "response") lengths = lengths.flatMap((value) => value.split(",").map((part) => part.trim()));
  const numbers = new Set(lengths.map(Number));
  const most = kind === "response" ? Number.MAX_SAFE_INTEGER : 999_999_999_999_999;
  const digits = kind === "response" ? /^\d{1,16}$/ : /^\d{1,15}$/;
  if (lengths.some((value) => !digits.test(value) || Number(value) > most)) return "malformed";
  if (numbers.size > 1 || (kind === "request" && lengths.length > 1)) return "malformed";
  if (codings.length > 1 || (codings.length === 1 && (lengths.length > 0 || minorVersion === 0))) return "malformed";
  if (codings.length === 1) return codings[0].toLowerCase() === "chunked" ? -2 : "malformed";
  return lengths.length > 0 ? Number(lengths[0]) : -1;
}

/** What becomes of a chunked body: payload, whether it is done, and what follows; or only that it is malformed. */
export function twinChunks(
  text: string,
  bareLineFeeds: boolean,
): { payload: string; done: boolean; rest: string } | "malformed" {
  const end = bareLineFeeds ? "\r?\n" : "\r\n";
  const sizeLine = new RegExp(`^([0-9a-fA-F]{1,13})(?:[;\\t ][^\\r\\n]*\\r\\n|${end})`);
  const line = new RegExp(`^([^\\r\\n]*)${end}`);
  let payload = "";
  let rest = text;
  for (;;) {
    const found = sizeLine.exec(rest);
    if (found === null) {
      const begun = /^(?:[0-9a-fA-F]{0,13}|[0-9a-fA-F]{1,13}(?:[;\t ][^\r\n]*)?\r?)$/.test(rest);
      return begun ? { payload, done: false, rest: "" } : "malformed";
    }
    rest = rest.slice(found[0].length);
    const size = parseInt(found[1], 16);
    if (size === 0) break;
    payload += rest.slice(0, size);
    rest = rest.slice(size);
    if (rest === "" || rest === "\r") return { payload, done: false, rest: "" };
    const behind = line.exec(rest);
    if (behind === null || behind[1] !== "") return "malformed";
    rest = rest.slice(behind[0].length);
  }
  for (;;) {
    const found = line.exec(rest);
    if (found === null) return /^[^\r\n]*\r?$/.test(rest) ? { payload, done: false, rest: "" } : "malformed";
    rest = rest.slice(found[0].length);
    if (found[1] === "") return { payload, done: true, rest };
  }
}
