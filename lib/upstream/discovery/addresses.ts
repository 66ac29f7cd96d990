/**
 * Who tells the addresses of names: in one process a look-up, in a worker the supervisor, so that all workers agree.
 *
 * @module
 */

import type { DiscoveredAddress } from "./discovered_address.ts";

/** A name to be looked up. */
export interface AddressSource {
  /** URL with the name: `http://name:port`, or `srv+http://name`. */
  readonly url: string;
  /** Time between two look-ups, in milliseconds; the answers' TTL without it. */
  readonly intervalMs: number | undefined;
}

/** A watch over one name. */
export interface AddressWatch {
  /** Resolves with the first addresses, or when they take too long. */
  readonly ready: Promise<void>;
  /** Ends it. */
  stop(): void;
}

/** Tells addresses, and their changes. */
export interface Addresses {
  /** Calls `onChange` with all addresses of a name, when they are first known and whenever they change. */
  watch(source: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch;
}
