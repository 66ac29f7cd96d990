/**
 * What a visitor asks of a listing, in the query: `sort=name|size|time`, `order=asc|desc`, and `q=TEXT` for the entries whose
 * names contain a text. What is none of these has no effect.
 *
 * @module
 */

import type { FolderEntry } from "./folder_entries.ts";

/** Columns by which a listing is sorted. */
export const SORTS = ["name", "size", "time"] as const;

/** One of {@linkcode SORTS}. */
export type ListingSort = (typeof SORTS)[number];

/** What is asked of a listing. */
export interface ListingQuery {
  readonly sort: ListingSort;
  readonly descending: boolean;
  /** Text in the names, compared without case; empty for all entries. */
  readonly search: string;
}

/** A longer search finds nothing: no file system has longer names. */
const SEARCH_MAX_LENGTH = 255;

/** @param query Of the request, with its `?`, or empty. */
export function readListingQuery(query: string): ListingQuery {
  const parameters = new URLSearchParams(query);
  const sort = SORTS.find((one) => one === parameters.get("sort")) ?? "name";
  const search = (parameters.get("q") ?? "").trim().slice(0, SEARCH_MAX_LENGTH);
  return { sort, descending: parameters.get("order") === "desc", search };
}

/** The entries that are asked for, in their order: folders first, and those that are equal by name. */
export function arranged(entries: readonly FolderEntry[], { sort, descending, search }: ListingQuery): FolderEntry[] {
  const wanted = search.toLowerCase();
  const found = search === "" ? [...entries] : entries.filter(({ name }) => name.toLowerCase().includes(wanted));
  const sign = descending ? -1 : 1;
  return found.sort((a, b) => {
    if (a.kind !== b.kind) return a.kind === "folder" ? -1 : 1;
    const difference = sort === "size"
      ? (a.sizeBytes ?? 0) - (b.sizeBytes ?? 0)
      : sort === "time"
      ? (a.modifiedMs ?? 0) - (b.modifiedMs ?? 0)
      : 0;
    return difference * sign || byName.compare(a.name, b.name) * (sort === "name" ? sign : 1);
  });
}

const byName = new Intl.Collator("en", { numeric: true });
