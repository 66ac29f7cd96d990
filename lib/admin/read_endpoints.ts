/**
 * The endpoints that only read.
 *
 * @module
 */

import { z } from "zod";
import type { Exposition } from "../metrics/exposition.ts";
import { negotiate } from "../metrics/exposition_format.ts";
import { AdminRefusal, json, response } from "./admin_response.ts";
import { poolSchema, siteSchema, snapshotSchema } from "./api_schemas.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EventStream } from "./event_stream.ts";
import type { Managed } from "./managed.ts";
import { shownConfig } from "../generation/config/shown_config.ts";
import type { SnapshotMaker } from "./snapshot_maker.ts";

/** Stated in the response, since numbers without a unit are seconds in a file but milliseconds in the active config. */
const UNITS = "durations in milliseconds, sizes in bytes";

/** What {@linkcode readEndpoints} needs. */
export interface ReadEndpointsContext {
  /** The running server. */
  readonly managed: Managed;
  /** Creates snapshots. */
  readonly maker: SnapshotMaker;
  /** The streams of watching clients. */
  readonly events: EventStream;
  /** Undefined when no metrics are kept. */
  readonly exposition: () => Exposition | undefined;
  /** The OpenAPI document. */
  readonly document: () => unknown;
}

/** The endpoints. */
export function readEndpoints({ managed, maker, events, exposition, document }: ReadEndpointsContext): Endpoint[] {
  return [
    {
      ...{ method: "GET", path: "/api/health/live", name: "live", open: true },
      summary: "Whether the program runs. It says nothing of sites and upstreams; their own /api/health/ready does.",
      responses: { 200: { description: "It runs.", schema: z.object({ status: z.literal("alive") }) } },
      handle: () => json({ status: "alive" }),
    },
    {
      ...{ method: "GET", path: "/api/status", name: "status" },
      summary: "The server at this moment; rates and quantiles are of the last five seconds.",
      responses: { 200: { description: "A snapshot, without its history.", schema: snapshotSchema } },
      handle: () => json(maker.make()),
    },
    {
      ...{ method: "GET", path: "/api/events", name: "events" },
      summary: "Snapshots as server-sent events: one at once, with the last minutes, and then one a second.",
      responses: {
        200: { description: "Events named `snapshot`; the data of each is a Snapshot.", type: "text/event-stream" },
      },
      handle: () => events.open(),
    },
    {
      ...{ method: "GET", path: "/api/sites", name: "sites" },
      summary: "The sites and their routes, in the order of the config.",
      responses: { 200: { description: "The sites.", schema: z.object({ sites: z.array(siteSchema) }) } },
      handle: () => json({ sites: maker.sites() }),
    },
    {
      ...{ method: "GET", path: "/api/upstreams", name: "upstreams" },
      summary:
        "The pools and their upstreams; `source` marks those that were added here, `removed` those that were removed here.",
      responses: { 200: { description: "The pools.", schema: z.object({ pools: z.array(poolSchema) }) } },
      handle: () => json({ pools: maker.pools() }),
    },
    {
      ...{ method: "GET", path: "/api/config", name: "config" },
      summary: `The config that runs, with all defaults and without secrets. Its numbers have other units than the ` +
        `file's, as \`units\` says: ${UNITS}.`,
      responses: {
        200: {
          description: `The config; \`units\` stands beside its tables. ${UNITS}.`,
          schema: z.looseObject({ units: z.literal(UNITS) }),
        },
      },
      handle: () => json({ units: UNITS, ...shownConfig(managed.generation.config) }),
    },
    {
      ...{ method: "GET", path: "/metrics", name: "metrics" },
      summary:
        "All metrics, as Prometheus text or, where Accept prefers it, as OpenMetrics text; 404 when none are kept.",
      responses: { 200: { description: "The metrics.", type: "text/plain" } },
      handle: ({ request }) => {
        const metrics = exposition();
        if (metrics === undefined) throw new AdminRefusal(404, "metrics are off (management.metrics)");
        const { format, contentType } = negotiate(request.headers.get("accept"));
        return response(metrics.write(format), contentType, { headers: { vary: "accept" } });
      },
    },
    {
      ...{ method: "GET", path: "/api/openapi.json", name: "openapi" },
      summary: "This API, as an OpenAPI 3.1 document.",
      responses: { 200: { description: "The document.", schema: z.record(z.string(), z.unknown()) } },
      handle: () => json(document()),
    },
  ];
}
