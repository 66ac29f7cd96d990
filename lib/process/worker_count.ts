/**
 * The number of workers.
 *
 * @module
 */

import type { ServerConfig } from "./server_schema.ts";

/** The number of workers to start, and why it is less than the config asks for. */
export interface WorkerCount {
  /** 1 or more. */
  readonly count: number;
  /** Why it is less than the config asks for; undefined when it is not. */
  readonly shortfall: string | undefined;
}

/** The number of workers that `server.workers` means on this machine. */
export function workerCount({ workers }: ServerConfig): WorkerCount {
  const wanted = workers === "auto" ? navigator.hardwareConcurrency : workers;
  if (wanted <= 1) return { count: 1, shortfall: undefined };
  const obstacle = sharingObstacle();
  if (obstacle === undefined) return { count: wanted, shortfall: undefined };
  return { count: 1, shortfall: `server.workers is ${JSON.stringify(workers)}, but ${obstacle}; one worker serves` };
}

// On macOS the worker that listened last gets every connection; Windows cannot share ports.
function sharingObstacle(): string | undefined {
  if (Deno.build.os !== "linux") return `${Deno.build.os} does not deal connections out among workers`;
  // Without the flag the runtime ends the process when a port is shared. This function exists only with the flag.
  if (typeof Deno.listenDatagram === "function") return undefined;
  return "ports cannot be shared without Deno's flag --unstable-net";
}
