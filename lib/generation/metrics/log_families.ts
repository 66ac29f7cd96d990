/**
 * Families of the log.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { Family } from "../../metrics/family.ts";
import { Labels } from "../../metrics/labels.ts";

/** The families `bws_log_…`. */
export function logFamilies(log: () => Log | undefined): Family[] {
  return [
    new Family({
      ...{ name: "bws_log_lost_lines_total", type: "counter" },
      help: "Lines that an output of the log has lost, because it was too slow, away or could not be written.",
    }, (sink) => {
      for (const { output, lost } of log()?.losses ?? []) sink.value(Labels.of({ output }), lost);
    }),
  ];
}
