/**
 * Addresses of names that the supervisor looks up and sends to its workers, so that all use the same ones.
 *
 * @module
 */

import type { Addresses, AddressSource, AddressWatch, DiscoveredAddress } from "./addresses.ts";

/** A name and its addresses. */
export type SourceAddresses = readonly [source: AddressSource, addresses: readonly DiscoveredAddress[]];

/** The addresses that a worker was sent. */
export class SupervisorAddresses implements Addresses {
  readonly #known = new Map<string, readonly DiscoveredAddress[]>();
  readonly #watchers = new Set<{ key: string; onChange: (addresses: readonly DiscoveredAddress[]) => void }>();

  /** @param known The supervisor's addresses when the worker was started. */
  constructor(known: readonly SourceAddresses[]) {
    for (const [source, addresses] of known) this.#known.set(keyOf(source), addresses);
  }

  /** Replaces the addresses of one name. */
  update([source, addresses]: SourceAddresses): void {
    const key = keyOf(source);
    this.#known.set(key, addresses);
    for (const watcher of this.#watchers) if (watcher.key === key) watcher.onChange(addresses);
  }

  /** Calls `onChange` with the known addresses, and again with each update. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch {
    const watcher = { key: keyOf(source), onChange };
    this.#watchers.add(watcher);
    const known = this.#known.get(watcher.key);
    if (known !== undefined) onChange(known);
    return { ready: Promise.resolve(), stop: () => this.#watchers.delete(watcher) };
  }
}

/** Looks names up for this thread, and passes the results on to the workers. */
export class RelayedAddresses implements Addresses {
  /** Called with each change, after the watchers of this thread. */
  onFound: ((found: SourceAddresses) => void) | undefined;
  readonly #inner: Addresses;
  readonly #known = new Map<string, SourceAddresses>();

  /** @param inner Makes the look-ups. */
  constructor(inner: Addresses) {
    this.#inner = inner;
  }

  /** The current addresses of all names. */
  get known(): readonly SourceAddresses[] {
    return [...this.#known.values()];
  }

  /** Watches a name. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch {
    return this.#inner.watch(source, (addresses) => {
      const found: SourceAddresses = [source, addresses];
      this.#known.set(keyOf(source), found);
      onChange(addresses);
      this.onFound?.(found);
    });
  }
}

function keyOf({ url, intervalMs }: AddressSource): string {
  return `${url} ${intervalMs}`;
}
