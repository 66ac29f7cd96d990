/**
 * The log lines about ports that close and open again.
 *
 * @module
 */

import { handlesOut, type PortStatus } from "../listener/runtime/serving_port.ts";
import type { Log } from "../log/log.ts";

/** Logs that a port closed unasked, or is open again. */
export function logPortChange(log: Log | undefined, now: PortStatus, before: PortStatus): void {
  const { address, port, open, reason, reopenings } = now;
  if (open) {
    const closedMs = before.closedAtMs === null ? 0 : Date.now() - before.closedAtMs;
    log?.say("warn", "port is open again", { address, port, closed_ms: closedMs, reopenings });
    return;
  }
  const cause = reason ?? "unknown";
  const fields: Record<string, string | number> = { address, port, cause };
  if (handlesOut(cause)) fields.advice = "raise the limit of open files: ulimit -n, or LimitNOFILE= of the unit";
  log?.say("error", "port closed, it will be opened again", fields);
}
