/**
 * Maintenance of a site: every request gets 503, but for those of some addresses and for the site's own endpoints.
 *
 * @module
 */

import { z } from "zod";
import { duration, flag, list, network, table } from "../config/fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import { AddressBlocks } from "../http/address_block.ts";
import { MetricSet, type ValuesOf } from "../metrics/metric_set.ts";
import type { BuildContext, Feature } from "./feature.ts";
import { isChallenge } from "./redirect_to_https.ts";

const keys = table({
  enabled: flag().default(true).describe("Whether the site is in maintenance."),
  allow: list(network()).prefault([]).describe(
    "Addresses and networks of clients that still pass.",
  ),
  retry_after: duration({ zero: true }).prefault("5m").describe("Retry-After of the response; 0 for no field."),
});

const schema = z.union([flag(), keys], { error: "true, false or a table" }).optional().describe(
  "Maintenance: every request gets 503, with the error page for it. true is a table without keys.",
);

type MaintenanceConfig = z.output<typeof schema>;

/** The metrics `bws_maintenance_…`. */
const MAINTENANCE_METRICS = new MetricSet({
  refused: { kind: "counter", name: "bws_maintenance_refused_total", help: "Requests that got 503 for maintenance." },
});

/** `maintenance`. */
export const maintenance = {
  key: "maintenance",
  scopes: ["site", "route"],
  order: 310,
  metrics: MAINTENANCE_METRICS,
  schema,
  compile: (options, context) => {
    const config = options === true ? keys.parse({}) : options;
    return config === undefined || config === false || !config.enabled ? undefined : new Maintenance(config, context);
  },
} as const satisfies Feature<MaintenanceConfig>;

class Maintenance implements Filter {
  readonly #allowed: AddressBlocks;
  readonly #failure: ExchangeFailure;
  readonly #isEndpoint: BuildContext["isEndpoint"];
  readonly #metrics: ValuesOf<typeof MAINTENANCE_METRICS> | undefined;

  constructor({ allow, retry_after }: z.output<typeof keys>, { isEndpoint, metrics }: BuildContext) {
    this.#metrics = metrics(MAINTENANCE_METRICS);
    this.#allowed = new AddressBlocks(allow);
    const lines = retry_after === 0 ? [] : ["retry-after", String(Math.ceil(retry_after / 1000))];
    this.#failure = new ExchangeFailure(503, "The site is in maintenance", { owner: "proxy", lines });
    this.#isEndpoint = isEndpoint;
  }

  request({ head, clientAddress, dryRun }: Exchange): Outcome | undefined {
    if (this.#allowed.has(clientAddress) || this.#isEndpoint(head)) return undefined;
    if (isChallenge(head.path)) return undefined;
    if (dryRun === undefined) this.#metrics?.add(MAINTENANCE_METRICS.metrics.refused);
    return this.#failure;
  }
}
