/**
 * Log lines for changes of an upstream's state: each change once, with its reason.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import type { FailureClass } from "./condition/failure_class.ts";
import type { Upstream } from "./upstream.ts";

/** Writes the changes of an upstream's state to `log`. */
export function logChanges(upstream: Upstream, log: Log | undefined, where: { site: string; pool: string }): void {
  if (log === undefined) return;
  upstream.condition.onChange = (change) => {
    const fields = { ...where, upstream: upstream.url };
    switch (change.kind) {
      case "ejected":
        log.log("warn", "upstream ejected", { ...fields, reason: REASONS[change.by], for_ms: change.forMs });
        break;
      case "returned":
        log.log("info", "upstream returned", fields);
        break;
      case "breaker":
        if (change.change === "opened") log.log("warn", "circuit breaker opened", fields);
        else log.log("info", "circuit breaker closed", fields);
    }
  };
}

const REASONS: Readonly<Record<FailureClass, string>> = {
  unreachable: "it cannot be reached",
  broken: "its connections break, or what it sends is not HTTP",
  timeout: "it is silent for too long",
  status: "its responses are failures",
  slow: "its responses are slow",
};
