/**
 * The names of keys and header fields whose values are secrets, and the masking of these values in lines of a file. Values
 * substituted for `${NAME}` are masked whatever the name of the key.
 *
 * @module
 */

import { MASK } from "../log/shown_query.ts";
import type { KeyPath } from "./source_tree.ts";

export { MASK };

/** Keys whose values are secrets: `api_key`, `secret`, `auth_token`, `hmac_key`. */
const SECRET_KEY = /(?:^|_)(?:key|secret|password|passwd|passphrase|token|credentials?)$/i;
/** Header fields with credentials, in any spelling: Authorization, Cookie, X-API-Key, X-Auth-Token. */
const SECRET_FIELD = /auth|cookie|token|secret|key|passw|credential|session|signature/i;
/** A value that is a credential whatever the name of its field. */
const CREDENTIAL = /^\s*(?:basic|bearer|digest|negotiate|token|apikey|aws4-hmac-sha256)\s/i;
// Lines may be megabytes long: the repetitions are bounded, so that these take linear time.
const CREDENTIAL_IN_LINE =
  /(["'])[ \t]{0,9}(?:basic|bearer|digest|negotiate|token|apikey|aws4-hmac-sha256)\s.{0,4096}?\1/gi;
const USER_IN_URL = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,31}:\/\/)([^\s/?#"']{1,512})@/gi;
/** Tables of header fields. */
const FIELD_TABLES: ReadonlySet<string> = new Set(["headers", "set", "add", "request", "response"]);
/**
 * A key of a line and its value, with or without quotes; a value without an end extends to the end of the line. Between them
 * a colon or a space is accepted, as in other formats.
 */
const KEY_AND_VALUE =
  /((?:"[^"\\]{0,99}"|'[^']{0,99}'|(?<![\w-])[\w-]{1,99})(?:[ \t]{0,99}[=:][ \t]{0,99}|[ \t]{1,99}(?![=:])))("""|'''|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|[^\s#,}\]"'{[]+)/g;

/** Whether header fields of this name have credentials. */
export function isSecretField(name: string): boolean {
  return SECRET_FIELD.test(name);
}

/** Whether the value at a path is a secret. Indices in the path do not count. */
export function isSecret(value: string, path: KeyPath): boolean {
  const [parent = "", key = ""] = ["", "", ...path.filter((step) => typeof step === "string")].slice(-2);
  if (FIELD_TABLES.has(parent)) return SECRET_FIELD.test(key) || CREDENTIAL.test(value);
  // `key` is the path of a file, unless the content of the file was put there.
  if (parent === "tls" && key === "key") return value.includes("-----BEGIN");
  return SECRET_KEY.test(key);
}

/** `text` without the user and the password of URLs in it. */
export function withoutUsers(text: string): string {
  return text.replace(USER_IN_URL, (_, scheme: string, user: string) => {
    const colon = user.indexOf(":");
    return `${scheme}${colon < 0 ? MASK : `${user.slice(0, colon)}:${MASK}`}@`;
  });
}

/** A line of a file with secrets replaced by asterisks; its length and the names of variables are kept. */
export function maskLine(line: string): string {
  return line
    .replace(KEY_AND_VALUE, (whole: string, head: string, value: string) => {
      const key = head.replace(/[\s=:]+$/, "").replace(/^["']|["']$/g, "");
      return secretInLine(key) && !/^(?:"""|'''|true|false)$/.test(value) ? head + starred(value) : whole;
    })
    .replace(CREDENTIAL_IN_LINE, starred)
    .replace(USER_IN_URL, (_, scheme: string, user: string) => `${scheme}${starred(user)}@`);
}

/** Whether a line may contain a secret, by its words only, since it may not be TOML. */
export function mentionsSecret(line: string): boolean {
  return line.split(/[^A-Za-z0-9_-]+/).some(secretInLine);
}

// The table of the line is not known here. Names with a dash are header fields.
function secretInLine(name: string): boolean {
  return SECRET_KEY.test(name) || /^(?:.*-.*|authorization|cookie)$/i.test(name) && SECRET_FIELD.test(name);
}

function starred(value: string): string {
  const kept = value.includes("${") ? /(\$\{[A-Za-z_][A-Za-z0-9_]*(?:\}|(?=:-))|["'])|[^]/g : /(?!)()|[^]/g;
  return value.replace(kept, (_, part?: string) => part ?? "*");
}
