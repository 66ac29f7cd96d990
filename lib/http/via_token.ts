/**
 * The name of this server in Via (RFC 9110, section 7.6.3).
 *
 * @module
 */

import { isToken } from "./header_lines.ts";

/**
 * The pseudonym for a name in Via: the name with `-` in place of each character that a token must not contain, cut to
 * 100 characters, since it is added to each request.
 *
 * @param name Any text, such as `server.name`.
 */
export function viaToken(name: string): string {
  let token = "";
  for (const char of name) {
    if (token.length === MAX_LENGTH) break;
    token += isToken(char) ? char : "-";
  }
  return token === "" ? "-" : token;
}

const MAX_LENGTH = 100;
