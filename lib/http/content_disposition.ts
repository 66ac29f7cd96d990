/**
 * The Content-Disposition field (RFC 6266).
 *
 * @module
 */

/**
 * The value that makes a browser save a response under a name. A name of other characters than the plain ones stands in it
 * twice: in `filename*` as it is (RFC 8187), and with `_` in their place for clients that do not know that.
 *
 * @param name Name of a file, without a folder.
 *
 * @example
 * ```ts
 * import { attachment } from "./content_disposition.ts";
 *
 * console.log(attachment("a.pdf")); // attachment; filename="a.pdf"
 * console.log(attachment("ä.pdf")); // attachment; filename="_.pdf"; filename*=UTF-8''%C3%A4.pdf
 * ```
 */
export function attachment(name: string): string {
  // Some clients take "%41" in a quoted name for "A", and backslashes for what follows them.
  const plain = name.replace(/[^\x20-\x7e]|["%\\]/gu, "_");
  const value = `attachment; filename="${plain}"`;
  if (plain === name) return value;
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${value}; filename*=UTF-8''${encoded}`;
}
