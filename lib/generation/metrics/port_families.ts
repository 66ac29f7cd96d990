/**
 * Families about the ports of sites.
 *
 * @module
 */

import { Family } from "../../metrics/family.ts";
import { Labels } from "../../metrics/labels.ts";
import type { PortStatus } from "../../listener/runtime/serving_port.ts";

/** The families `bws_listener_…`. */
export function portFamilies(ports: () => readonly PortStatus[]): Family[] {
  const labels = ({ address, port }: PortStatus) => Labels.of({ address, port: String(port) });
  return [
    new Family(
      {
        ...{ name: "bws_listener_up", type: "gauge" },
        help: "Whether a port is open in all workers: 1, or 0 while it is closed and opened again.",
      },
      (sink) => {
        for (const port of ports()) sink.value(labels(port), port.open ? 1 : 0);
      },
    ),
    new Family(
      { name: "bws_listener_reopened_total", type: "counter", help: "How often a port that closed was opened again." },
      (sink) => {
        for (const port of ports()) sink.value(labels(port), port.reopenings);
      },
    ),
  ];
}
