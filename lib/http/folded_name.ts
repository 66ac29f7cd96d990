/**
 * Names of header fields as programs behind CGI see them, where `X-User`, `X_User` and `X.User` are one (RFC 3875, section
 * 4.1.18). A client must not be able to set a field of BWS under a name that becomes the same.
 *
 * @module
 */

/** The name in lower case, with a hyphen for all characters but letters and digits. */
export function foldedName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "-");
}

/** Whether a name becomes `folded`, without making a text of it. */
export function foldsTo(name: string, folded: string): boolean {
  if (name.length !== folded.length) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const expected = folded.charCodeAt(i);
    if (code === expected || (code >= 0x41 && code <= 0x5a && code + 0x20 === expected)) continue;
    if (expected !== HYPHEN || isLetterOrDigit(code)) return false;
  }
  return true;
}

function isLetterOrDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

const HYPHEN = 0x2d;
