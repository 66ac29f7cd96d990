/**
 * Opens the driver `uring` with system calls and requests into which faults can be put.
 *
 * @module
 */

import type { Arena } from "../../lib/sockets/linux/arena.ts";
import { UringDriver } from "../../lib/sockets/uring/uring_driver.ts";
import type { RingFaults } from "../../lib/sockets/uring/uring_loop.ts";
import { FaultySystemCalls } from "./faulty_system_calls.ts";
import { FaultyUring } from "./faulty_uring.ts";

/** A driver, and what makes it fail. */
export interface FaultyUringDriver {
  readonly driver: UringDriver;
  readonly calls: FaultySystemCalls;
  readonly ring: FaultyUring;
}

/** Opens one. It lasts as long as its thread. */
export function faultyUringDriver(options: Pick<RingFaults, "wholeBuffers"> = {}): FaultyUringDriver {
  let memory: Arena | undefined;
  let calls: FaultySystemCalls | undefined;
  let ring: FaultyUring | undefined;
  const driver = new UringDriver({
    ...options,
    calls(system, arena) {
      memory = arena;
      return calls = new FaultySystemCalls(system, arena);
    },
    ring: (kernel, buffers) =>
      ring = new FaultyUring(kernel, buffers, memory as Arena, (descriptor) => calls?.forget(descriptor)),
  });
  return { driver, calls: calls as unknown as FaultySystemCalls, ring: ring as unknown as FaultyUring };
}
