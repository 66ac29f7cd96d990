/**
 * A folder's listing as HTML or as JSON, by the Accept field. Whoever may write into the folder chooses the names: they
 * are escaped as text and percent-encoded as links, and the page allows no scripts.
 *
 * @module
 */

import { acceptedForm } from "../../http/accepted_type.ts";
import { headerValues } from "../../http/header_lines.ts";
import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import { ENTRIES_MAX, type FolderEntry } from "./folder_entries.ts";

/** The content of a listing. */
export interface FolderListing {
  /** Decoded path of the folder; ends with `/`. */
  readonly path: string;
  readonly entries: readonly FolderEntry[];
  /** More header lines. */
  readonly lines: readonly string[];
}

/**
 * The response with a listing. JSON is an array of `{ name, type, size, modified }`, with `type` `"file"` or
 * `"folder"`, `size` in bytes or null, and `modified` as ISO 8601 or null.
 *
 * @param listing What to show.
 * @param requestHeaders The request's header lines, whose Accept selects the form.
 */
export function listingResponse(listing: FolderListing, requestHeaders: readonly string[]): HttpResponse {
  const json = acceptedForm(headerValues(requestHeaders, "accept").join(","), "html") === "json";
  const body = new TextEncoder().encode(json ? listingJson(listing) : listingHtml(listing));
  const headers: HeaderLines = [
    ...["content-type", json ? "application/json; charset=UTF-8" : "text/html; charset=UTF-8"],
    ...["content-length", String(body.length), "vary", "accept", "x-content-type-options", "nosniff"],
  ];
  if (!json) headers.push("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'");
  headers.push(...listing.lines);
  return { status: 200, headers, body };
}

function listingJson({ entries }: FolderListing): string {
  return JSON.stringify(entries.map(({ name, kind, sizeBytes, modifiedMs }) => ({
    name,
    type: kind,
    size: sizeBytes ?? null,
    modified: modifiedMs === undefined ? null : new Date(modifiedMs).toISOString(),
  })));
}

function listingHtml({ path, entries }: FolderListing): string {
  const title = `Index of ${escapeHtml(path)}`;
  const parent = path === "/" ? "" : `<tr><td><a href="../">../</a><td><td>\n`;
  const note = entries.length < ENTRIES_MAX ? "" : `<p>Only the first ${ENTRIES_MAX} entries are shown.\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<table>
<tr><th>Name<th>Size<th>Modified
${parent}${entries.map(row).join("")}</table>
${note}</html>
`;
}

const STYLE = "body{font:1rem/1.6 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}" +
  "h1{font-size:1.2rem;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}" +
  "th{text-align:left}td,th{border-bottom:1px solid #8884;padding:.2rem .5rem}td:first-child{overflow-wrap:anywhere}" +
  "td:nth-child(n+2){white-space:nowrap;font-variant-numeric:tabular-nums}a{text-decoration:none}a:hover{text-decoration:underline}";

/** `bdi` keeps marks of writing direction in a name from affecting the rest of the line. */
function row({ name, kind, sizeBytes, modifiedMs }: FolderEntry): string {
  const slash = kind === "folder" ? "/" : "";
  const link = `<a href="./${encodeURIComponent(name)}${slash}"><bdi>${escapeHtml(name)}</bdi>${slash}</a>`;
  const date = modifiedMs === undefined ? "" : new Date(modifiedMs).toISOString().slice(0, 16).replace("T", " ");
  return `<tr><td>${link}<td>${sizeBytes === undefined ? "" : readableSize(sizeBytes)}<td>${date}\n`;
}

function readableSize(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return unit === 0 ? `${size} B` : `${size.toFixed(1)} ${UNITS[unit]}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
