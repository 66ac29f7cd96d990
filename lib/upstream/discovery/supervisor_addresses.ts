/**
 * Addresses of names, as a supervisor tells them, so that all workers agree on them.
 *
 * @module
 */

import type { Addresses, AddressSource, AddressWatch, DiscoveredAddress } from "./addresses.ts";

/** What is known of one name. */
export type ToldSource = readonly [source: AddressSource, addresses: readonly DiscoveredAddress[]];

/** Addresses that are told from outside. */
export class SupervisorAddresses implements Addresses {
  readonly #known = new Map<string, readonly DiscoveredAddress[]>();
  readonly #watchers = new Set<{ key: string; onChange: (addresses: readonly DiscoveredAddress[]) => void }>();

  /** Knows `told` from the start. */
  constructor(told: readonly ToldSource[]) {
    for (const [source, addresses] of told) this.#known.set(keyOf(source), addresses);
  }

  /** Takes in the addresses of one name. */
  tell([source, addresses]: ToldSource): void {
    const key = keyOf(source);
    this.#known.set(key, addresses);
    for (const watcher of this.#watchers) if (watcher.key === key) watcher.onChange(addresses);
  }

  /** Calls `onChange` with what is known, and with what is told later. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch {
    const watcher = { key: keyOf(source), onChange };
    this.#watchers.add(watcher);
    const known = this.#known.get(watcher.key);
    if (known !== undefined) onChange(known);
    return { ready: Promise.resolve(), stop: () => this.#watchers.delete(watcher) };
  }
}

/** Looks names up, and tells others as well. */
export class RelayedAddresses implements Addresses {
  /** Called after whoever watches here has been told. */
  onTold: ((told: ToldSource) => void) | undefined;
  readonly #inner: Addresses;
  readonly #known = new Map<string, ToldSource>();

  /** @param inner Looks them up. */
  constructor(inner: Addresses) {
    this.#inner = inner;
  }

  /** What is known of all names. */
  get known(): readonly ToldSource[] {
    return [...this.#known.values()];
  }

  /** Watches a name. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch {
    return this.#inner.watch(source, (addresses) => {
      const told: ToldSource = [source, addresses];
      this.#known.set(keyOf(source), told);
      onChange(addresses);
      this.onTold?.(told);
    });
  }
}

function keyOf({ url, intervalMs }: AddressSource): string {
  return `${url} ${intervalMs}`;
}
