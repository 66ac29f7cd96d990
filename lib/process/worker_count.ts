/**
 * How many workers serve.
 *
 * @module
 */

import type { ServerConfig } from "./server_schema.ts";

/** How many workers there are to be, and why not as many as were asked for. */
export interface WorkerCount {
  /** 1 or more. */
  readonly count: number;
  /** What keeps it from what the config says; undefined when nothing does. */
  readonly shortfall: string | undefined;
}

/** What `server.workers` comes to on this machine. */
export function workerCount({ workers }: ServerConfig): WorkerCount {
  const wanted = workers === "auto" ? navigator.hardwareConcurrency : workers;
  if (wanted <= 1) return { count: 1, shortfall: undefined };
  const obstacle = sharingObstacle();
  if (obstacle === undefined) return { count: wanted, shortfall: undefined };
  return { count: 1, shortfall: `server.workers is ${JSON.stringify(workers)}, but ${obstacle}; one worker serves` };
}

// On macOS the last one that listens gets every connection; Windows has nothing of the kind.
function sharingObstacle(): string | undefined {
  if (Deno.build.os !== "linux") return `${Deno.build.os} does not deal connections out among workers`;
  // The runtime ends the process when the flag is missing. This is there with the flag alone.
  if (typeof Deno.listenDatagram === "function") return undefined;
  return "ports cannot be shared without Deno's flag --unstable-net";
}
