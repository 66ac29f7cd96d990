/**
 * Validation and encoding of request targets (RFC 9112, section 3.2; RFC 3986, section 2).
 *
 * @module
 */

/** Whether a target consists of permitted ASCII characters: no control characters, no spaces, no fragment. */
export function isPlainTarget(target: string): boolean {
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return false;
  }
  return true;
}

/**
 * The target with each non-ASCII character percent-encoded as UTF-8, as nginx and Caddy accept it. Undefined if the
 * target contains control characters, spaces or a fragment.
 */
export function encodedTarget(target: string): string | undefined {
  const encoded = target.isWellFormed() ? target.replace(NON_ASCII, encodeURIComponent) : target;
  return isPlainTarget(encoded) ? encoded : undefined;
}

/** The target with each invalid character percent-encoded, for the log line of a rejected request. */
export function escapedTarget(target: string): string {
  return isPlainTarget(target) ? target : target.toWellFormed().replace(ILLEGAL, encodeURIComponent);
}

const HASH = 0x23;
// deno-lint-ignore no-control-regex
const NON_ASCII = /[^\x00-\x7f]+/g;
// deno-lint-ignore no-control-regex
const ILLEGAL = /[\x00-\x20#\x7f]|[^\x00-\x7f]+/g;
