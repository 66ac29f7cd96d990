/**
 * How many files and sockets the process has open: as its metrics say.
 *
 * @module
 */

import type { Family } from "../metrics/family.ts";

/** The value of `process_open_fds`; null where the system does not tell, or there are no metrics. */
export function openFiles(families: readonly Family[]): number | null {
  let open: number | null = null;
  families.find(({ name }) => name === "process_open_fds")?.collect({
    value: (_labels, value) => open = value,
    histogram: () => {},
  });
  return open;
}
