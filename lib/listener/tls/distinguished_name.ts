/**
 * Distinguished names as text (RFC 4514).
 *
 * @module
 */

/**
 * A name as `CN=R11,O=Let's Encrypt,C=US`.
 *
 * @param lines As `node:crypto` gives it: an attribute a line, in the order of the certificate.
 */
export function distinguishedName(lines: string): string {
  return lines.split("\n").filter((line) => line !== "").reverse().map(attribute).join(",");
}

function attribute(line: string): string {
  const equals = line.indexOf("=");
  const value = line.slice(equals + 1)
    .replace(/[\\"+,;<>]/g, "\\$&")
    .replace(/^[ #]/, "\\$&")
    .replace(/ $/, "\\ ");
  return `${line.slice(0, equals)}=${value}`;
}
