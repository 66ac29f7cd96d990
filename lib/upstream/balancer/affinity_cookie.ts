/**
 * The cookie of the policy `cookie`: written as a Set-Cookie field (RFC 6265, section 4.1), and searched in the Cookie
 * field of a request. The field is not parsed completely: only the values after the cookie's name are found, and the
 * caller knows all valid values.
 *
 * @module
 */

// @ts-types="../../../types/std/http-cookie.d.ts"
import { setCookie as appendCookie } from "@std/http/cookie";
import { COOKIE_DEFAULTS, type CookieSettings } from "./policy_settings.ts";

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/**
 * The first cookie called `name` whose value is in `known` and passes `accept`; undefined when there is none.
 *
 * Lines, duplicates, spaces around names and values, and quotes around values do not matter; a comma counts as a
 * semicolon, since some servers join lines with it (RFC 9110, section 5.3). The time is linear in the length of the
 * field: a value is copied only if it has the right length.
 *
 * @param length Length of every value in `known`.
 */
export function findCookie<T>(
  headers: readonly string[],
  name: string,
  known: ReadonlyMap<string, T>,
  length: number,
  accept: (found: T) => boolean,
): T | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].length !== 6 || headers[i].toLowerCase() !== "cookie") continue;
    const line = headers[i + 1];
    for (let at = line.indexOf(name); at >= 0; at = line.indexOf(name, at + name.length)) {
      const start = valueStart(line, at, name.length);
      if (start < 0 || !endsAt(line, start, length)) continue;
      const found = known.get(line.slice(start, start + length));
      if (found !== undefined && accept(found)) return found;
    }
  }
  return undefined;
}

/** Start of the value of the cookie whose name is at `at`, after a quote if there is one; -1 for another name. */
function valueStart(line: string, at: number, nameLength: number): number {
  const before = skipBlanks(line, at - 1, -1);
  if (before >= 0 && !separates(line.charCodeAt(before))) return -1;
  const equals = skipBlanks(line, at + nameLength, 1);
  if (line.charCodeAt(equals) !== EQUALS) return -1;
  const start = skipBlanks(line, equals + 1, 1);
  return line.charCodeAt(start) === QUOTE ? start + 1 : start;
}

/** Whether the value at `start` is `length` long. */
function endsAt(line: string, start: number, length: number): boolean {
  let end = start + length;
  if (end > line.length) return false;
  if (line.charCodeAt(start - 1) === QUOTE && line.charCodeAt(end++) !== QUOTE) return false;
  end = skipBlanks(line, end, 1);
  return end >= line.length || separates(line.charCodeAt(end));
}

function skipBlanks(line: string, from: number, step: 1 | -1): number {
  let at = from;
  while (line.charCodeAt(at) === SPACE || line.charCodeAt(at) === TAB) at += step;
  return at;
}

function separates(code: number): boolean {
  return code === SEMICOLON || code === COMMA;
}

const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;

/**
 * The value of Set-Cookie.
 *
 * @param name Name of the cookie, a token.
 * @param value Its value, of characters that need no quotes.
 * @param settings Its attributes, already checked; those that are absent have their defaults.
 * @param tls Whether the client came over TLS, for `secure = "auto"`.
 */
export function setCookie(name: string, value: string, settings: CookieSettings, tls: boolean): string {
  const { path = COOKIE_DEFAULTS.path, domain, max_age } = settings;
  const secure = settings.secure ?? COOKIE_DEFAULTS.secure;
  const headers = new Headers();
  appendCookie(headers, {
    ...{ name, value, path, domain },
    // 0 would delete it
    maxAge: max_age === undefined ? undefined : Math.max(1, Math.round(max_age / 1000)),
    secure: secure === true || (secure === "auto" && tls),
    httpOnly: settings.http_only ?? COOKIE_DEFAULTS.http_only,
    sameSite: SAME_SITE[settings.same_site ?? COOKIE_DEFAULTS.same_site],
  });
  return headers.getSetCookie()[0];
}
