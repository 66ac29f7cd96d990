/**
 * The dynamic table of an encoder, found by names and values (RFC 7541, section 2.3). It learns which names have values that
 * repeat: indexing the others would push out what is of use.
 *
 * @module
 */

import { ENTRY_OVERHEAD } from "./dynamic_table.ts";
import { STATIC_BY_NAME, STATIC_ENTRIES, type StaticName } from "./static_table.ts";

/** What the encoder of a connection knows of a name. */
export interface KnownName {
  readonly statically: StaticName | undefined;
  /** Whether its values are never indexed. */
  readonly sensitive: boolean;
  /** Its newest entry in the table. */
  newest: Entry | undefined;
  /** How many values were new since one was found in the table. */
  misses: number;
}

interface Entry {
  /** How many entries were added before it. */
  readonly number: number;
  readonly known: KnownName;
  readonly value: string;
  readonly bytes: number;
  /** Entries of the same name. */
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** The table of one connection. Owned by its encoder. */
export class EncoderTable {
  readonly #names = new Map<string, KnownName>();
  /** The entries from `#first` on, oldest first; those before it are gone. */
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  /** How many entries were ever added. */
  #added = 0;
  #bytes = 0;
  #maxBytes: number;

  /** @param maxBytes Octets that its entries may count. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What is known of `name`. */
  named(name: string): KnownName {
    return this.#names.get(name) ?? this.#learn(name);
  }

  /** Index of a field with this name and value in either table, or 0. */
  fieldIndex(known: KnownName, value: string): number {
    const index = known.statically?.values?.get(value);
    if (index !== undefined) return index;
    // Of a name whose values change, the table holds many that do not come again.
    let looks = known.misses > MAX_MISSES ? CHANGING_LOOKS : MAX_LOOKS;
    for (let entry = known.newest; entry !== undefined && looks > 0; entry = entry.older, looks--) {
      if (entry.value !== value) continue;
      known.misses = 0;
      return this.#index(entry);
    }
    return 0;
  }

  /** Index of a field with this name in either table, or 0. */
  nameIndex(known: KnownName): number {
    if (known.statically !== undefined) return known.statically.index;
    return known.newest === undefined ? 0 : this.#index(known.newest);
  }

  /** Adds a field that was not found, if values of this name are worth it. Whether it did. */
  add(known: KnownName, name: string, value: string): boolean {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    const misses = known.misses++;
    if (misses >= MAX_MISSES && (misses & RETRY_MASK) !== 0) return false;
    // A field that takes most of the table would push out all others.
    if (bytes > this.#maxBytes / 2) return false;
    this.#evictTo(this.#maxBytes - bytes);
    const older = known.newest;
    const entry: Entry = { number: this.#added++, known, value, bytes, older, newer: undefined };
    if (older !== undefined) older.newer = entry;
    known.newest = entry;
    this.#entries.push(entry);
    this.#bytes += bytes;
    return true;
  }

  /** Sets its size, and removes the oldest entries that no longer fit. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  #index(entry: Entry): number {
    return STATIC_ENTRIES + this.#added - entry.number;
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > bytes && this.#first < this.#entries.length) {
      const entry = this.#entries[this.#first] as Entry;
      this.#entries[this.#first++] = undefined;
      this.#bytes -= entry.bytes;
      if (entry.newer === undefined) entry.known.newest = undefined;
      else entry.newer.older = undefined;
    }
    if (this.#first < 64 || this.#first < this.#entries.length / 2) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  #learn(name: string): KnownName {
    const known: KnownName = {
      statically: STATIC_BY_NAME.get(name),
      sensitive: SENSITIVE.has(name),
      newest: undefined,
      misses: CHANGING.has(name) ? MAX_MISSES + 1 : 0,
    };
    // Peers choose names: those beyond the bound are never indexed, as they are forgotten.
    if (this.#names.size < MAX_NAMES) this.#names.set(name, known);
    else known.misses = MAX_MISSES + 1;
    return known;
  }
}

/** Values of a name that may be new in a row before it is no longer indexed. */
const MAX_MISSES = 4;
/** After that, one value in this many (and one) is indexed, in case they repeat now. */
const RETRY_MASK = 63;
const MAX_NAMES = 256;
/** Entries of a name that are looked at for a value, newest first, where its values repeat and where they change. */
const MAX_LOOKS = 16;
const CHANGING_LOOKS = 2;

/** Names whose values are seldom the same twice. */
const CHANGING: ReadonlySet<string> = new Set([
  ":path",
  "age",
  "content-length",
  "content-range",
  "etag",
  "if-modified-since",
  "if-none-match",
  "last-modified",
  "location",
  "traceparent",
  "x-request-id",
]);

/** Names whose values are secrets (RFC 7541, section 7.1.3). Long cookies are excepted by the encoder. */
const SENSITIVE: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);
