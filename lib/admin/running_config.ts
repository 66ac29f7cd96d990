/**
 * The config that runs, to be shown: everything but secrets.
 *
 * @module
 */

import type { Config } from "../config/schema.ts";

/** What stands in the place of a secret. */
export const MASK = "********";

/** Keys whose values are secrets: `api_key`, `secret`, `auth_token`, `hmac_key`. */
const SECRET_KEY = /(?:^|_)(?:key|secret|password|passwd|passphrase|token|credentials?)$/;
/** Header fields that carry credentials, in whatever spelling: Authorization, Cookie, X-API-Key, X-Auth-Token. */
const SECRET_FIELD = /auth|cookie|token|secret|key|passw|credential|session|signature/i;
/** A value that is a credential whatever its field is called. */
const CREDENTIAL = /^\s*(?:basic|bearer|digest|negotiate|token|apikey|aws4-hmac-sha256)\s/i;
const PASSWORD_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*):[^\s/?#@]*@/gi;
/** Tables of header fields. */
const FIELD_TABLES: ReadonlySet<string> = new Set(["headers", "set", "add", "request", "response"]);

/** The config as JSON data, secrets masked. Paths of key files stay. */
export function shownConfig(config: Config): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, shown(value, [key])]));
}

function shown(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => shown(item, path));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, [...path, key])]));
  }
  if (typeof value !== "string") return value;
  return isSecret(value, path) ? MASK : value.replace(PASSWORD_IN_URL, `$1:${MASK}@`);
}

function isSecret(value: string, path: readonly string[]): boolean {
  const key = path.at(-1) ?? "";
  const parent = path.at(-2) ?? "";
  if (FIELD_TABLES.has(parent)) return SECRET_FIELD.test(key) || CREDENTIAL.test(value);
  // Its `key` is the path of a file, not what is in it, unless somebody put it there.
  if (parent === "tls" && key === "key") return value.includes("-----BEGIN");
  return SECRET_KEY.test(key);
}
