/**
 * The metrics of a running server, created when metrics are first kept, since a reload may turn them on or off.
 *
 * @module
 */

import { serverFamilies } from "../generation/metrics/families.ts";
import { Exposition } from "../metrics/exposition.ts";
import type { Family } from "../metrics/family.ts";
import type { Managed, ManagedConfig } from "./managed.ts";

/** Metric families and their exposition. Owned by the management listener. */
export class ManagedMetrics {
  readonly #managed: Managed;
  readonly #config: ManagedConfig;
  #made: { readonly families: readonly Family[]; readonly exposition: Exposition } | undefined;

  constructor(managed: Managed, config: ManagedConfig) {
    this.#managed = managed;
    this.#config = config;
  }

  /** Open files and sockets of the process; null where unknown, or where no metrics are kept. */
  get openFiles(): number | null {
    let open: number | null = null;
    this.#read()?.families.find(({ name }) => name === "process_open_fds")?.collect({
      value: (_labels, value) => open = value,
      histogram: () => {},
    });
    return open;
  }

  /** Undefined when no metrics are kept. */
  get exposition(): Exposition | undefined {
    return this.#read()?.exposition;
  }

  #read() {
    if (this.#managed.generation.metrics === undefined) return undefined;
    if (this.#made === undefined) {
      const families = serverFamilies({
        generation: () => this.#managed.generation,
        config: () => this.#config,
        ports: () => this.#managed.ports,
      });
      this.#made = { families, exposition: new Exposition(families) };
    }
    return this.#made;
  }
}
