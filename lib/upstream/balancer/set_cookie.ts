/**
 * Writes the Set-Cookie field (RFC 6265, section 4.1) of the policy `cookie`.
 *
 * @module
 */

// @ts-types="../../../types/std/http-cookie.d.ts"
import { setCookie as appendCookie } from "@std/http/cookie";
import { COOKIE_DEFAULTS, type CookieSettings } from "./policy_settings.ts";

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
