/**
 * The metrics `bws_compression_…`.
 *
 * @module
 */

import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";

/** The metrics of compression. */
export const COMPRESSION_METRICS = new MetricSet({
  inBytes: {
    ...{ kind: "counter", name: "bws_compression_in_bytes_total", unit: "bytes" },
    help: "Bytes of bodies before they were compressed.",
  },
  outBytes: {
    ...{ kind: "counter", name: "bws_compression_out_bytes_total", unit: "bytes" },
    help: "Bytes of the same bodies when they were compressed.",
  },
});

/** The metrics of the table of a site or a route. */
export type CompressionMetrics = ValuesOf<typeof COMPRESSION_METRICS>;
