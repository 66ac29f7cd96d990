/**
 * How long a run of the suite takes, about, from what the machine of the project took.
 *
 * @module
 */

import type { BenchOptions } from "./bench_options.ts";
import { pacedSeconds } from "./measurement.ts";
import { NGINX } from "./peers/nginx.ts";
import type { Workload } from "./workload.ts";

/** Start and end of a process with its warm-up at the fixed rate, and of a load. */
const PROCESS_SECONDS = 2;
const LOAD_SECONDS = 0.35;
/** Idle connections are opened and looked at. */
const IDLE_SECONDS = 6;

/** About how long all rounds of a workload take for so many peers. */
export function expectedSeconds(workload: Workload, peers: number, options: BenchOptions): number {
  const { rounds, seconds, latencySeconds, warmUpSeconds, halfLoad } = options;
  const idle = workload.idle !== undefined;
  const rated = halfLoad && ratedByNginx(workload);
  // Half of what nginx does is known later. It is enough for most workloads in a short time.
  const paced = LOAD_SECONDS +
    (rated ? latencySeconds ?? Math.max(seconds, 1.2) : pacedSeconds(workload.rate, options));
  const measuring = paced + (idle ? IDLE_SECONDS + paced : workload.paced === true ? 0 : seconds + LOAD_SECONDS);
  const processes = options.fresh || idle ? rounds : 1;
  const warmUp = warmUpSeconds + LOAD_SECONDS * Math.ceil(warmUpSeconds / seconds);
  const starting = processes * (PROCESS_SECONDS + (idle ? 0 : warmUp));
  return peers * (starting + rounds * measuring) + (rated ? PROCESS_SECONDS + 1 : 0);
}

/** Whether nginx can tell the rate of a workload. */
export function ratedByNginx({ paced, idle, needs }: Workload): boolean {
  return paced !== true && idle === undefined && NGINX.abilities.includes(needs);
}
