/**
 * The kinds of values that the schema is built from. The error text of each is what was *expected*, worded to fit after
 * "expected"; `schema_issues.ts` adds what was found, and the header of the table.
 *
 * @module
 */

import { z } from "zod";
import { isToken } from "../http/header_lines.ts";
import { HTTP_METHODS } from "./http_methods.ts";
import { parseNetwork } from "../http/ip_address.ts";
import { nearestName, oneOf } from "./nearest_name.ts";

/** Why a value of the right type is not valid. */
export interface Fault {
  /** What was found, worded to fit after the key's name, where "is" and the value are not clear enough. */
  readonly message?: string;
  /** What was expected. */
  readonly expected: string;
  /** The nearest valid text. */
  readonly suggestion?: string;
}

const NETWORK = 'an IP address or a network such as "10.0.0.0/8"';
const LINE_EXPECTED = "text without line breaks and other control characters, in characters up to U+00FF";
const LINE = /^[\t\x20-\x7e\x80-\xff]*$/;
// Timers of the runtime are limited to 31 bits.
const MAX_TIMER_MS = 2 ** 31 - 1;
// Units from the largest to the smallest, each at most once: "1h30m", "1m30s", "7d"
const DURATION =
  /^(?=\d)(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
const DURATION_UNITS_MS = [86_400_000, 3_600_000, 60_000, 1000, 1];
const DURATION_PART =
  /\s*(\d+(?:\.\d+)?)\s*(milliseconds?|millis|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])(?:\s*(?:,|and\b))?\s*/giy;
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgt]?b|[kmgt]ib)$/i;
const SIZE_UNITS = ["", "k", "m", "g", "t"];

/** True or false. */
export const flag = (): z.ZodBoolean => z.boolean({ error: "true or false" });

/** Text that is not empty. */
export function text(expected = "text that is not empty"): z.ZodString {
  return z.string({ error: expected }).min(1, { error: expected });
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number, error = `a whole number from ${min} to ${max}`): z.ZodInt {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** One of a few words. */
export function choice<const T extends readonly [string, ...string[]]>(words: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, { error: oneOf(words) });
}

/** A table. */
export function table<T extends z.ZodRawShape>(shape: T): z.ZodObject<T> {
  return z.object(shape, { error: "a table" });
}

/** A list of tables. */
export function tables<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return z.array(item, { error: "a list of tables" });
}

/** A schema without its default: absent is absent. */
export type Unset<S> = S extends z.ZodDefault<infer Inner> | z.ZodPrefault<infer Inner> | z.ZodOptional<infer Inner>
  ? Unset<Inner>
  : S;

/** `schema` without its default and with its sentence; the same schema where it has none. */
export function unset<S extends z.ZodType>(schema: S): Unset<S> {
  // The base type does not show the kinds of schemas; the library itself uses this union.
  const { def } = (schema as unknown as z.core.$ZodTypes)._zod;
  if (def.type !== "default" && def.type !== "prefault" && def.type !== "optional") return schema as Unset<S>;
  const inner = unset(def.innerType as z.ZodType);
  const { description } = schema;
  return (description === undefined ? inner : inner.describe(description)) as Unset<S>;
}

/** The default of a key as it would be written; undefined where it has none. */
export function defaultOf(schema: z.ZodType): unknown {
  const { def } = (schema as unknown as z.core.$ZodTypes)._zod;
  return def.type === "default" || def.type === "prefault" ? def.defaultValue : undefined;
}

/** The keys of a table that inherits the keys that it does not set from another table. */
export type Inheriting<T extends z.ZodRawShape> = {
  [K in keyof T]: T[K] extends z.ZodPrefault<z.ZodObject<infer Inner>> ? z.ZodOptional<z.ZodObject<Inheriting<Inner>>>
    : z.ZodOptional<Unset<T[K]>>;
};

/** The keys of a table, and of the tables in it, all optional and without defaults. */
export function inheriting<T extends z.ZodRawShape>(keys: T): Inheriting<T> {
  const entries = Object.entries(keys).map(([key, schema]) => {
    const bare = unset(schema as z.ZodType);
    const { def } = (bare as unknown as z.core.$ZodTypes)._zod;
    const own = def.type === "object" ? table(inheriting(def.shape as z.ZodRawShape)) : bare;
    return [key, own.optional().describe(bare.description ?? "")];
  });
  return Object.fromEntries(entries);
}

/** A list. */
export function list<T extends z.ZodType>(item: T, expected = "a list of texts"): z.ZodArray<T> {
  return z.array(item, { error: expected });
}

/** Text that a function checks. `pattern` is for editors, which cannot run the function. */
export function judged(faultOf: (value: string) => Fault | undefined, expected: string, pattern?: string): z.ZodString {
  const schema = z.string({ error: expected }).superRefine((value, context) => {
    const fault = faultOf(value);
    if (fault === undefined) return;
    const { message: found, suggestion } = fault;
    context.addIssue({ code: "custom", message: fault.expected, params: { found, suggestion } });
  });
  return pattern === undefined ? schema : schema.meta({ pattern });
}

/** Text that matches a regular expression. */
export function matching(pattern: RegExp, expected: string): z.ZodString {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

/** A path that begins with a slash. */
export function slashPath(expected = 'a path that begins with "/" and holds no spaces'): z.ZodString {
  return matching(/^\/[^\s]*$/, expected);
}

/**
 * The name of a header field or of a method's like (RFC 9110, section 5.6.2).
 *
 * @param faultOf A further check of a name that is a token.
 */
export function token(what: string, faultOf?: (name: string) => Fault | undefined): z.ZodString {
  const expected = `${what}: letters, digits and !#$%&'*+-.^_\`|~`;
  return judged((name) => isToken(name) ? faultOf?.(name) : { expected }, expected, "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$");
}

/** The value of a header field. CR, LF and NUL are refused, since they would allow header injection (RFC 9110, 5.5). */
export const fieldValue = (): z.ZodString => matching(LINE, LINE_EXPECTED);

/** An IP address, or a network in CIDR notation. */
export function network(): z.ZodString {
  return judged((value) => parseNetwork(value) !== undefined ? undefined : { expected: NETWORK }, NETWORK);
}

/** A request method, converted to upper case. */
export function method() {
  return judged(methodFault, "a method such as GET").transform((value) => value.toUpperCase());
}

function methodFault(value: string): Fault | undefined {
  const upper = value.toUpperCase();
  if (HTTP_METHODS.includes(upper)) return undefined;
  const expected = "a known HTTP method such as GET or POST";
  return { expected, suggestion: nearestName(upper, HTTP_METHODS) };
}

/** Options of {@linkcode duration}. */
export interface DurationOptions {
  /** Whether 0 is allowed. */
  zero?: boolean;
  /** The longest duration allowed, in milliseconds. */
  maxMs?: number;
}

/** A duration: a number of seconds, or text such as "250ms", "30s", "2m", "1h". Converted to milliseconds. */
export function duration({ zero = false, maxMs = MAX_TIMER_MS }: DurationOptions = {}) {
  const longest = maxMs < 86_400_000 ? `${maxMs / 1000} seconds` : `${Math.floor(maxMs / 86_400_000)} days`;
  const error = `a duration ${
    zero ? "from 0" : "above 0"
  } to ${longest}: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d"`;
  return z.union([z.number(), z.string().meta({ pattern: DURATION.source })], { error }).transform((value, context) => {
    const ms = durationMs(value);
    if (ms !== undefined && ms <= maxMs && (ms > 0 || (ms === 0 && zero))) {
      return Math.max(Math.round(ms), ms > 0 ? 1 : 0);
    }
    const suggestion = ms === undefined && typeof value === "string" ? rewrittenDuration(value) : undefined;
    context.addIssue({ code: "custom", message: error, params: { suggestion } });
    return z.NEVER;
  });
}

/** Rewrites "30 seconds", "5sec" and "1 min 30 s" in the form of a duration. */
function rewrittenDuration(text: string): string | undefined {
  let rewritten = "";
  DURATION_PART.lastIndex = 0;
  while (DURATION_PART.lastIndex < text.length) {
    const match = text.length > 40 ? null : DURATION_PART.exec(text);
    if (match === null) return undefined;
    const unit = match[2].toLowerCase();
    rewritten += match[1] + (/^m(?:illi|s)/.test(unit) ? "ms" : unit[0]);
  }
  return durationMs(rewritten) === undefined ? undefined : rewritten;
}

/** Parses a duration, in milliseconds; undefined if the text is not a duration. */
export function durationMs(value: unknown): number | undefined {
  if (typeof value === "number") return value * 1000;
  if (typeof value !== "string") return undefined;
  const match = DURATION.exec(value);
  return match?.slice(1).reduce((sum, part, index) => sum + Number(part ?? 0) * DURATION_UNITS_MS[index], 0);
}

/** A size: a number of bytes, or text such as "10MB" (decimal) and "512KiB" (binary). Converted to bytes. */
export function size() {
  const error = 'a size above 0: bytes, or text such as "10MB", "512KiB", "1GiB"';
  // In editors the pattern has no flag to ignore case.
  const pattern = "^\\d+(\\.\\d+)? ?([kKmMgGtT]?[bB]|[kKmMgGtT][iI][bB])$";
  return z.union([z.number(), z.string().meta({ pattern })], { error }).transform((value, context) => {
    const bytes = typeof value === "number" ? value : sizeBytes(value);
    if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
    // In nginx a single letter is a power of two.
    const letter = typeof value === "string" ? /^(\d+) ?([kmg])$/i.exec(value) : null;
    const suggestion = letter === null ? undefined : `${letter[1]}${letter[2].toUpperCase()}iB`;
    context.addIssue({ code: "custom", message: error, params: { suggestion } });
    return z.NEVER;
  });
}

function sizeBytes(value: string): number | undefined {
  const match = SIZE.exec(value);
  if (match === null) return undefined;
  const unit = match[2].toLowerCase().replace(/i?b$/, "");
  const base = /ib$/i.test(match[2]) ? 1024 : 1000;
  return Math.round(Number(match[1]) * base ** SIZE_UNITS.indexOf(unit));
}
