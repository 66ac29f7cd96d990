/**
 * The characters of a request's target (RFC 9112, section 3.2; RFC 3986, section 2).
 *
 * @module
 */

/** Whether all characters are ASCII that a target may hold: no controls, no spaces, no fragment. */
export function isPlainTarget(target: string): boolean {
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return false;
  }
  return true;
}

/**
 * The target with each character beyond ASCII as the percent-encoded bytes of its UTF-8, as nginx and Caddy take it.
 * Undefined for a target with controls, spaces or a fragment.
 */
export function encodedTarget(target: string): string | undefined {
  const encoded = target.isWellFormed() ? target.replace(BEYOND_ASCII, encodeURIComponent) : target;
  return isPlainTarget(encoded) ? encoded : undefined;
}

/** The target with each character percent-encoded that has no place in one: what the log shows of a refused request. */
export function escapedTarget(target: string): string {
  return isPlainTarget(target) ? target : target.toWellFormed().replace(ILLEGAL, encodeURIComponent);
}

const HASH = 0x23;
// deno-lint-ignore no-control-regex
const BEYOND_ASCII = /[^\x00-\x7f]+/g;
// deno-lint-ignore no-control-regex
const ILLEGAL = /[\x00-\x20#\x7f]|[^\x00-\x7f]+/g;
