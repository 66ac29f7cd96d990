/** The part of `@std/http/cookie` that BWS uses. */

/** A cookie to set. */
export interface Cookie {
  name: string;
  value: string;
  path?: string;
  domain?: string;
  /** Seconds. */
  maxAge?: number;
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
}

/** Appends a Set-Cookie line. */
export function setCookie(headers: Headers, cookie: Cookie): void;
