/**
 * The bearer token of a request (RFC 6750, section 2): in Authorization, and, where the config says so, in a cookie or the query. One request has one
 * token: of two, the upstream might read the other one.
 *
 * @module
 */

import type { RequestHead } from "../../http/message.ts";
import { headerValues } from "../../http/header_lines.ts";

/** Largest token. */
const MOST_CHARS = 16 * 1024;

/** Why a request has no token that can be read. */
export class TokenFault {
  /** What is wrong, for the log. */
  readonly cause: string;
  /** The error of RFC 6750, section 3.1. */
  readonly error: "invalid_request" | "invalid_token";

  constructor(cause: string, error: TokenFault["error"] = "invalid_request") {
    this.cause = cause;
    this.error = error;
  }
}

/** Where tokens may be, besides Authorization. */
export interface TokenPlaces {
  readonly cookie?: string | undefined;
  readonly query?: string | undefined;
}

/** The token of a request; undefined where there is none. */
export function bearerToken(head: RequestHead, { cookie, query }: TokenPlaces): string | TokenFault | undefined {
  const fields = headerValues(head.headers, "authorization");
  if (fields.length > 1) return new TokenFault("Authorization is repeated");
  const found = fields.length === 0 ? undefined : tokenOf(fields[0]);
  if (found instanceof TokenFault) return found;
  const tokens = found === undefined ? [] : [found];
  if (cookie !== undefined) tokens.push(...cookieValues(head.headers, cookie));
  if (query !== undefined) tokens.push(...parameterValues((head.original ?? head).query, query));
  const [token, ...others] = tokens;
  if (token === undefined) return undefined;
  if (others.some((other) => other !== token)) return new TokenFault("The request has two tokens");
  if (token.length > MOST_CHARS) {
    return new TokenFault(`The token is longer than ${MOST_CHARS} characters`, "invalid_token");
  }
  return token;
}

/** The token in the value of Authorization; undefined where it is of another scheme. The scheme has no case. */
function tokenOf(value: string): string | TokenFault | undefined {
  if (value.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const token = value.slice(SCHEME.length).trim();
  return /[\s,]/.test(token) || token === "" ? new TokenFault("Authorization is malformed") : token;
}

const SCHEME = "bearer ";

function cookieValues(headers: readonly string[], name: string): string[] {
  const start = `${name}=`;
  return headerValues(headers, "cookie").flatMap((line) => line.split(";"))
    .map((pair) => pair.trim()).filter((pair) => pair.startsWith(start)).map((pair) => pair.slice(start.length));
}

function parameterValues(query: string, name: string): string[] {
  return query.includes(name) ? new URLSearchParams(query).getAll(name) : [];
}
