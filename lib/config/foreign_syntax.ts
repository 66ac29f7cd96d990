/**
 * Recognizes the syntax of other formats, in whole files and in single lines. The messages show how it is written in TOML.
 *
 * @module
 */

import type { ProblemDetails } from "./problem_list.ts";
import { mentionsSecret } from "./secret_names.ts";

/** A file in another format. */
export interface ForeignFile {
  /** The line by which it was recognized, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  readonly length: number;
  readonly details: ProblemDetails;
}

const SITE = '[[sites]], and below it lines such as port = 8080 and static_dir = "www"';
const PROXY =
  `[[sites]] with port = 8080, [[sites.proxy.upstreams]] with name and url, and [[sites.proxy.routes]] with path and upstream`;

/** Formats, each with a pattern of a typical line. Used only where no line is TOML. */
const FORMATS: readonly (readonly [name: string, line: RegExp, expected: string])[] = [
  ["a config of Apache", /^[ \t]*<(?:VirtualHost|Directory|Location|IfModule|Proxy)\b[^\n]*/m, PROXY],
  ["XML", /^\s*<[?!a-z][^\n]*/i, SITE],
  ["JSON", /^\s*(?:\{\s*(?:"[^"\n]*"\s*:|\})|\[\s*\{)[^\n]*/, SITE],
  [
    "a config of nginx",
    /^[ \t]*(?:(?:server|http|events|location[^\n{]*|upstream [^\n{]*)[ \t]*\{|(?:listen|server_name|proxy_pass|root|worker_processes)[ \t][^\n=]*;)[^\n]*/m,
    PROXY,
  ],
  ["a config of HAProxy", /^(?:global|defaults|(?:frontend|backend|listen)[ \t]+\S+)[ \t]*$/m, PROXY],
  [
    "a Caddyfile",
    /^[^\s#=][^=\n#]*\{[ \t]*$|^[ \t]*(?:reverse_proxy|file_server|encode|respond|handle)\b[^=\n]*$/m,
    PROXY,
  ],
  ["YAML", /^(?:---[ \t]*|[ \t]*(?:- )?["']?[\w.-]+["']?:(?:[ \t][^\n]*)?)$/m, SITE],
];

const TOML_LINE = /^[ \t]*(?:\[\[?[\w. "-]+\]\]?[ \t]*(?:#.*)?|["'\w][\w. "'-]*=[^\n]*)$/m;
// The first lines are enough to recognize a format.
const MAX_LENGTH = 20_000;

/** The format of a file that has a syntax error; undefined if it may be TOML. */
export function foreignFile(text: string): ForeignFile | undefined {
  const start = text.slice(0, MAX_LENGTH);
  if (TOML_LINE.test(start)) return undefined;
  for (const [name, pattern, expected] of FORMATS) {
    const match = pattern.exec(start);
    if (match === null) continue;
    const shown = match[0].trimStart().split("\n", 1)[0].trimEnd();
    const index = match.index + match[0].length - match[0].trimStart().length;
    const before = start.slice(0, index).split("\n");
    const details = { message: `the file is ${name}`, expected: `TOML: ${expected}` };
    return { line: before.length, column: before[before.length - 1].length + 1, length: shown.length, details };
  }
  return undefined;
}

// Lines written by hand are not longer.
const MAX_LINE_LENGTH = 2000;
const QUOTES = /^[\u2018-\u201f\u00ab\u00bb\u2039\u203a]/;
const KEY = String.raw`(?:[A-Za-z0-9_.-]+|"[^"\\]*"|'[^']*')`;
const KEY_ALONE = new RegExp(`^\\s*(?:[{,]\\s*)?(${KEY})\\s*$|[{,]\\s*(${KEY})\\s*$`);
const KEY_AND_EQUALS = new RegExp(`^\\s*(${KEY})\\s*=\\s*$`);
const KEY_AND_NUMBER = new RegExp(`^\\s*(${KEY})\\s*=\\s*([\\d.]+)$`);
/** A key and a complete value, with trailing space. */
const WHOLE_VALUE = new RegExp(`^\\s*${KEY}\\s*=\\s*(?:"[^"\\\\]*"|'[^']*'|[\\w.+-]+|[[{].*[\\]}])\\s+$`);
const TRUE = ["yes", "on", "true", "enabled"];
const FALSE = ["no", "off", "false", "disabled"];
const NOTHING = ["null", "nil", "none", "undefined", "~"];

/**
 * The likely meaning of a line that is not TOML.
 *
 * @param column Where the parser stopped, from 0.
 * @param found The text at this column.
 */
export function foreignLine(line: string, column: number, found: string): ProblemDetails | undefined {
  if (line.length > MAX_LINE_LENGTH) return undefined;
  const before = line.slice(0, column);
  const rest = line.slice(column).replace(/\r$/, "").trimEnd();
  // A secret is never shown, not even for a syntax error.
  const silent = mentionsSecret(line) || line.length > 200;
  if (QUOTES.test(found)) {
    return { message: `found the typographic quote ${found[0]}`, expected: `a straight one: " or '` };
  }
  if (/^(?:\/\/|\/\*|;)/.test(found) && (before.trim() === "" || WHOLE_VALUE.test(before))) {
    return { message: `${JSON.stringify(found.slice(0, 2))} begins no comment`, expected: '"#" before a comment' };
  }
  if (rest === ";" || rest === ",") {
    return { message: `found "${rest}"`, expected: `the end of the line, without "${rest}"` };
  }
  const key = KEY_ALONE.exec(before);
  if (key !== null) return separatorDetails(key[1] ?? key[2], rest, { alone: key[2] === undefined, silent });
  return valueDetails(before, rest, silent);
}

/** `port: 1`, `"port": 1` in braces, `port 1`. */
function separatorDetails(
  key: string,
  rest: string,
  { alone, silent }: { alone: boolean; silent: boolean },
): ProblemDetails | undefined {
  const colon = rest.startsWith(":");
  const value = written(colon ? rest.slice(1) : rest);
  if (!colon && !/^["'\w/.:[{]/.test(rest)) return undefined;
  const message = colon ? 'found ":"' : `found ${silent ? "something" : JSON.stringify(rest.split(/\s/, 1)[0])}`;
  const example = silent || !alone || value === undefined ? "" : `: ${key} = ${value}`;
  return { message, expected: `"=" after the key${example}` };
}

/** `browse = yes`, `name = www`, `read = 30s`, `["a", b]`. */
function valueDetails(before: string, rest: string, silent: boolean): ProblemDetails | undefined {
  const number = KEY_AND_NUMBER.exec(before);
  const key = number?.[1] ?? KEY_AND_EQUALS.exec(before)?.[1];
  const inList = key === undefined && /[[,]\s*$/.test(before) && /^\s*(?:[^=]+=\s*)?\[?/.test(before);
  if (key === undefined && !inList) return undefined;
  const text = (inList ? /^[^\s,\]}]*/.exec(rest)?.[0] ?? "" : withoutComment(rest)).replace(/[;,]$/, "");
  const word = text.toLowerCase();
  if (!/^[\w/.*:~$<@-]/.test(text)) return undefined;
  const message = `found ${silent ? "something" : JSON.stringify((number?.[2] ?? "") + text)}`;
  if (number === null) {
    if (TRUE.includes(word)) return { message, expected: "true" };
    if (FALSE.includes(word)) return { message, expected: "false" };
    if (NOTHING.includes(word)) return { message, expected: "no such line: a key without a value is left out" };
  }
  const quoted = JSON.stringify((number?.[2] ?? "") + text);
  return {
    message,
    expected: silent ? "text in quotes" : `text in quotes: ${key === undefined ? "" : `${key} = `}${quoted}`,
  };
}

/** A value in TOML syntax; undefined if the value continues on other lines. */
function written(raw: string): string | undefined {
  const text = withoutComment(raw).replace(/[;,]$/, "").trim();
  if (text === "" || /^[[{|>&]/.test(text)) return undefined;
  if (/^(["']).*\1$/.test(text) || /^[+-]?\d+(?:\.\d+)?$/.test(text)) return text;
  if (TRUE.includes(text.toLowerCase())) return "true";
  if (FALSE.includes(text.toLowerCase())) return "false";
  return JSON.stringify(text);
}

function withoutComment(text: string): string {
  return text.replace(/\s#.*$/, "").trim();
}
