/**
 * The page with a folder's listing: sorted by its links, searched by its form, without scripts. Whoever may write into the folder
 * chooses the names: they are escaped as text and percent-encoded as links.
 *
 * @module
 */

import { ENTRIES_MAX, type FolderEntry } from "./folder_entries.ts";
import type { FolderListing } from "./folder_listing.ts";
import type { ListingQuery, ListingSort } from "./listing_query.ts";

/**
 * The HTML of a listing.
 *
 * @param entries The entries to show, in their order.
 */
export function listingPage({ path, entries: all, query }: FolderListing, entries: readonly FolderEntry[]): string {
  const title = escapeHtml(`Index of ${path}`);
  const sorted = query.sort !== "name" || query.descending;
  const kept = sorted ? `?sort=${query.sort}${query.descending ? "&amp;order=desc" : ""}` : "";
  const parent = path === "/" ? "" : `<tr><td><a href="../${kept}">../</a><td><td>\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
<h1>Index of ${crumbs(path, kept)}</h1>
<form role="search"><input type="search" name="q" value="${
    escapeHtml(query.search)
  }" aria-label="Part of a name" placeholder="Part of a name">${
    sorted ? hidden("sort", query.sort) + (query.descending ? hidden("order", "desc") : "") : ""
  } <button>Search</button></form>
<table>
<thead><tr>${heading("name", "Name", query)}${heading("size", "Size", query)}${heading("time", "Modified", query)}
<tbody>
${parent}${entries.map((entry) => row(entry, kept)).join("")}</table>
${note(all.length, entries.length, query)}</html>
`;
}

function note(all: number, shown: number, { search }: ListingQuery): string {
  const found = search === "" ? "" : `<p>${shown} of ${all}. <a href="./">All</a>\n`;
  return all < ENTRIES_MAX ? found : `${found}<p>Only the first ${ENTRIES_MAX} entries are shown.\n`;
}

/** Each folder on the way as a link. Links are relative, so that they hold below whatever path the site stands. */
function crumbs(path: string, kept: string): string {
  const names = path.split("/").slice(1, -1);
  const links = ["/", ...names].map((name, index) => {
    const up = names.length - index;
    const shown = `<bdi>${escapeHtml(name)}</bdi>`;
    return up === 0 ? shown : `<a href="${"../".repeat(up)}${kept}">${shown}</a>`;
  });
  return `${links[0]}${links.slice(1).map((link) => `${link}/`).join("")}`;
}

/** A column's heading is the link that sorts by it, and turns the order of the one that is sorted by. */
function heading(sort: ListingSort, text: string, query: ListingQuery): string {
  const current = query.sort === sort;
  const turned = current && !query.descending;
  const search = query.search === "" ? "" : `&amp;q=${escapeHtml(encodeURIComponent(query.search.toWellFormed()))}`;
  const state = current ? ` aria-sort="${query.descending ? "descending" : "ascending"}"` : "";
  return `<th${state}><a href="?sort=${sort}${turned ? "&amp;order=desc" : ""}${search}">${text}</a>`;
}

function hidden(name: string, value: string): string {
  return `<input type="hidden" name="${name}" value="${value}">`;
}

const STYLE = "body{font:1rem/1.6 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}" +
  "h1{font-size:1.2rem;overflow-wrap:anywhere}form{margin:1rem 0}input,button{font:inherit;padding:.1rem .5rem}" +
  "table{border-collapse:collapse;width:100%}th{text-align:left;background:Canvas;position:sticky;top:0}" +
  "td,th{border-bottom:1px solid #8884;padding:.2rem .5rem}td:first-child{overflow-wrap:anywhere}" +
  "td:nth-child(n+2){white-space:nowrap;font-variant-numeric:tabular-nums}tbody tr:hover{background:#8882}" +
  "a{text-decoration:none}a:hover{text-decoration:underline}" +
  'th[aria-sort=ascending] a:after{content:" \\2191"}th[aria-sort=descending] a:after{content:" \\2193"}';

/** `bdi` keeps marks of writing direction in a name from affecting the rest of the line. */
function row({ name, kind, sizeBytes, modifiedMs }: FolderEntry, kept: string): string {
  const slash = kind === "folder" ? "/" : "";
  const href = `./${encodeURIComponent(name)}${kind === "folder" ? `/${kept}` : ""}`;
  const link = `<a href="${href}"><bdi>${escapeHtml(name)}</bdi>${slash}</a>`;
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
