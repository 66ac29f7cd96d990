/**
 * Compiles the format of access lines.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { type AccessLevel, combinedAccessLine, commonAccessLine } from "../../log/access_line.ts";
import { jsonAccessLine, writeJsonAccessLine } from "../../log/json_access_line.ts";
import type { LineForm } from "../../log/line_writer.ts";
import { jsonString, plainText, withoutControls } from "../../log/printable.ts";
import { ACCESS_FIELDS, W3C_FIELDS } from "./access_fields.ts";
import type { AccessLogSettings } from "./access_log_schema.ts";
import {
  compileLogText,
  type LogText,
  type LogValue,
  requestValue,
  type ResponseFields,
  responseValue,
} from "./log_text.ts";

/** A format of access lines. */
export interface CompiledFormat {
  /** Makes a line, without control characters. */
  readonly line: (exchange: Exchange, level: AccessLevel) => string;
  /** Writes the same line as bytes; undefined where there is text alone. */
  readonly form?: LineForm<Exchange>;
  /** Lines that stand at the beginning of a file, each with its line terminator. */
  readonly header?: string;
  /** Whether lines of failures tell their cause. */
  readonly tellsCause: boolean;
  /** Fields of responses whose values must be kept for a line, in lower case. */
  readonly responseFields: readonly string[];
}

/**
 * Compiles a format.
 *
 * @throws {SyntaxError} When it has a field or a placeholder that is not known.
 */
export function compileFormat(format: string, settings: AccessLogSettings): CompiledFormat {
  const responseFields: ResponseFields = [];
  if (format === "json") return { ...jsonFormat(settings, responseFields), responseFields };
  if (format === "combined") return { line: combinedAccessLine, tellsCause: true, responseFields };
  if (format === "common") return { line: commonAccessLine, tellsCause: false, responseFields };
  if (format === "w3c") return { ...w3cFormat(settings, responseFields), tellsCause: false, responseFields };
  return { line: textFormat(format, responseFields), tellsCause: false, responseFields };
}

/** A field of a JSON line: its name with quotes and colon, and its value as JSON; empty where the line is without it. */
interface Member {
  readonly name: string;
  readonly json: LogValue;
}

function jsonFormat(
  { fields, request_headers = [], response_headers = [] }: AccessLogSettings,
  responseFields: ResponseFields,
): Pick<CompiledFormat, "line" | "form" | "tellsCause"> {
  const headers = [
    ...headersMember("request_headers", request_headers.map((name) => [name, requestValue(name)])),
    ...headersMember("response_headers", response_headers.map((name) => [name, responseValue(name, responseFields)])),
  ];
  if (fields === undefined) {
    if (headers.length === 0) return { line: jsonAccessLine, form: writeJsonAccessLine, tellsCause: true };
    const line = (exchange: Exchange, level: AccessLevel) =>
      members(headers, jsonAccessLine(exchange, level).slice(0, -1), { exchange, level });
    return { line, tellsCause: true };
  }
  const chosen = [...chosenMembers(fields, responseFields), ...headers];
  return {
    line: (exchange, level) => members(chosen, "{", { exchange, level }),
    tellsCause: Array.isArray(fields) && fields.includes("cause"),
  };
}

function members(
  list: readonly Member[],
  begun: string,
  { exchange, level }: { exchange: Exchange; level: AccessLevel },
): string {
  let line = begun;
  for (const { name, json } of list) {
    const value = json(exchange, level);
    if (value !== "") line += (line === "{" ? "" : ",") + name + value;
  }
  return line + "}";
}

function chosenMembers(fields: NonNullable<AccessLogSettings["fields"]>, responseFields: ResponseFields): Member[] {
  if (Array.isArray(fields)) {
    return fields.map((name) => {
      const { value, bare } = fieldOf(name);
      return { name: `${jsonString(name)}:`, json: bare === true ? bareJson(value) : quotedJson(value) };
    });
  }
  return Object.entries(fields).map(([name, source]) => {
    const text = compileLogText(source, responseFields);
    const value = joined(text);
    return { name: `${jsonString(name)}:`, json: text.numeric ? value : quotedJson(value) };
  });
}

function headersMember(name: string, values: readonly (readonly [string, LogValue])[]): Member[] {
  if (values.length === 0) return [];
  const list = values.map(([name, value]) => ({ name: `${jsonString(name.toLowerCase())}:`, json: quotedJson(value) }));
  const json: LogValue = (exchange, level) => {
    const object = members(list, "{", { exchange, level });
    return object === "{}" ? "" : object;
  };
  return [{ name: `"${name}":`, json }];
}

const quotedJson = (value: LogValue): LogValue => (exchange, level) => {
  const text = value(exchange, level);
  return text === "" ? "" : jsonString(text);
};

const bareJson = (value: LogValue): LogValue => (exchange, level) => withoutControls(value(exchange, level));

function w3cFormat(
  { fields = [...W3C_FIELDS], request_headers = [], response_headers = [] }: AccessLogSettings,
  responseFields: ResponseFields,
): Pick<CompiledFormat, "line" | "header"> {
  const columns: { readonly name: string; readonly value: LogValue }[] = Array.isArray(fields)
    ? fields.flatMap((name) => [...fieldOf(name).w3c])
    : Object.entries(fields).map(([name, source]) => {
      return { name, value: joined(compileLogText(source, responseFields)) };
    });
  for (const name of request_headers) columns.push({ name: `cs(${name})`, value: requestValue(name) });
  for (const name of response_headers) {
    columns.push({ name: `sc(${name})`, value: responseValue(name, responseFields) });
  }
  const values = columns.map(({ value }) => value);
  return {
    header: `#Software: bws\n#Version: 1.0\n#Fields: ${columns.map(({ name }) => name).join(" ")}\n`,
    line: (exchange, level) => {
      let line = "";
      for (const value of values) line += (line === "" ? "" : " ") + w3cText(value(exchange, level));
      return line;
    },
  };
}

/** As IIS writes values, and readers expect them: `-` for nothing, `+` for a space, and percent-encoding for the rest. */
function w3cText(value: string): string {
  if (value === "") return "-";
  if (PLAIN_W3C.test(value)) return value;
  return withoutControls(value.replace(SEPARATING, percentEncoded).replaceAll(" ", "+"));
}

function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

// A `#` at the beginning of a line would begin a directive.
// deno-lint-ignore no-control-regex
const SEPARATING = /[\x00-\x1f"\x7f-\x9f#]/g;
const PLAIN_W3C = /^[\x21\x24-\x7e]*$/;

function fieldOf(name: string) {
  if (!Object.hasOwn(ACCESS_FIELDS, name)) throw new SyntaxError(`the access log has no field ${JSON.stringify(name)}`);
  return ACCESS_FIELDS[name];
}

/** A line of a text: values are escaped so that they cannot end what stands around them. */
function textFormat(source: string, responseFields: ResponseFields): CompiledFormat["line"] {
  const { pieces } = compileLogText(source, responseFields);
  let enclosed: Enclosing = "";
  const compiled = pieces.map((piece) => {
    if (typeof piece !== "string") return ENCLOSED[enclosed](piece);
    for (const char of piece) enclosed = enclosing(enclosed, char);
    return withoutControls(piece);
  });
  return (exchange, level) => {
    let line = "";
    for (const piece of compiled) line += typeof piece === "string" ? piece : piece(exchange, level);
    return line;
  };
}

/** What ends the text around the next piece; empty where nothing does. */
type Enclosing = keyof typeof ENCLOSED;

/** What stands around the next piece, once `char` is there as well. */
function enclosing(now: Enclosing, char: string): Enclosing {
  if (now !== "") return char === now ? "" : now;
  return char === '"' ? '"' : char === "[" ? "]" : "";
}

/** The values within quotes, within brackets, and as a word. */
const ENCLOSED = {
  '"': (value: LogValue): LogValue => (exchange, level) => plainText(value(exchange, level)),
  "]": (value: LogValue): LogValue => (exchange, level) => plainText(value(exchange, level)).replaceAll("]", "\\x5d"),
  "": (value: LogValue): LogValue => (exchange, level) => plainText(value(exchange, level)).replaceAll(" ", "\\x20"),
};

function joined({ pieces }: LogText): LogValue {
  if (pieces.length === 1 && typeof pieces[0] !== "string") return pieces[0];
  return (exchange, level) => {
    let text = "";
    for (const piece of pieces) text += typeof piece === "string" ? piece : piece(exchange, level);
    return text;
  };
}
