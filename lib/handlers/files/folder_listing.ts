/**
 * A folder's listing as a page or as JSON, by the Accept field. The page allows no scripts.
 *
 * @module
 */

import { acceptedForm } from "../../http/accepted_type.ts";
import { headerValues } from "../../http/header_lines.ts";
import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import type { FolderEntry } from "./folder_entries.ts";
import { listingPage } from "./listing_page.ts";
import { arranged, type ListingQuery } from "./listing_query.ts";

/** The content of a listing. */
export interface FolderListing {
  /** Decoded path of the folder; ends with `/`. */
  readonly path: string;
  /** All entries of the folder. */
  readonly entries: readonly FolderEntry[];
  /** What is asked of it. */
  readonly query: ListingQuery;
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
  const entries = arranged(listing.entries, listing.query);
  const body = new TextEncoder().encode(json ? listingJson(entries) : listingPage(listing, entries));
  const headers: HeaderLines = [
    ...["content-type", json ? "application/json; charset=UTF-8" : "text/html; charset=UTF-8"],
    ...["content-length", String(body.length), "vary", "accept", "x-content-type-options", "nosniff"],
  ];
  if (!json) headers.push("content-security-policy", PAGE_POLICY);
  headers.push(...listing.lines);
  return { status: 200, headers, body };
}

const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'";

function listingJson(entries: readonly FolderEntry[]): string {
  return JSON.stringify(entries.map(({ name, kind, sizeBytes, modifiedMs }) => ({
    name,
    type: kind,
    size: sizeBytes ?? null,
    modified: modifiedMs === undefined ? null : new Date(modifiedMs).toISOString(),
  })));
}
