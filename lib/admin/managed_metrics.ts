/**
 * The metrics of a running server: made when they are first kept, since a reload may turn them on or off.
 *
 * @module
 */

import { serverFamilies } from "../generation/metrics/families.ts";
import { Exposition } from "../metrics/exposition.ts";
import type { Family } from "../metrics/family.ts";
import type { Managed, ManagedConfig } from "./managed.ts";

/** Families and their text. Owned by the management listener. */
export class ManagedMetrics {
  readonly #managed: Managed;
  readonly #config: ManagedConfig;
  #made: { readonly families: readonly Family[]; readonly exposition: Exposition } | undefined;

  /** Makes none yet. */
  constructor(managed: Managed, config: ManagedConfig) {
    this.#managed = managed;
    this.#config = config;
  }

  /** All of them; none when no metrics are kept. */
  get families(): readonly Family[] {
    return this.#read()?.families ?? [];
  }

  /** Writes them; undefined when no metrics are kept. */
  get exposition(): Exposition | undefined {
    return this.#read()?.exposition;
  }

  #read() {
    if (this.#managed.gateway.metrics === undefined) return undefined;
    if (this.#made === undefined) {
      const families = serverFamilies({
        generation: () => this.#managed.gateway,
        config: () => this.#config,
        ports: () => this.#managed.ports,
      });
      this.#made = { families, exposition: new Exposition(families) };
    }
    return this.#made;
  }
}
