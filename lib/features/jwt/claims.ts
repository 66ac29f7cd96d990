/**
 * The claims of a verified token: what is required of them, and what upstreams get of them.
 *
 * @module
 */

/** The claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** The value of a claim; a name with dots leads into objects, unless there is a claim of that name. */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const step of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** The name of a claim that has none of the values that are required of it; undefined if all have. */
export function missingClaim(claims: Claims, require: Readonly<Record<string, readonly string[]>>): string | undefined {
  return Object.keys(require).find((name) => {
    const values = valuesOf(name, claimOf(claims, name));
    return !require[name].some((wanted) => values.includes(wanted));
  });
}

/** A claim as the value of a header field, in UTF-8; undefined where it is none, or has control characters. */
export function fieldOf(claim: unknown): string | undefined {
  const text = Array.isArray(claim) ? claim.filter(isPlain).join(",") : isPlain(claim) ? String(claim) : undefined;
  // A line break would begin another field.
  // deno-lint-ignore no-control-regex
  if (text === undefined || text === "" || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function valuesOf(name: string, claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter(isPlain).map(String);
  if (!isPlain(claim)) return [];
  const text = String(claim);
  // RFC 8693, section 4.2: words with spaces between them.
  return /(?:^|\.)(?:scope|scp)$/.test(name) ? text.split(" ") : [text];
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
