/**
 * The schema of an explanation in the management API; the compiler checks it against the type.
 *
 * @module
 */

import { z } from "zod";
import type { Explanation } from "../generation/explanation.ts";
import { API_SCHEMAS } from "./api_schemas.ts";

const siteSchema = z.strictObject({ name: z.string(), hosts: z.array(z.string()), why: z.string() });

const routeSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(["prefix", "exact", "pattern"]),
  methods: z.array(z.string()).nullable(),
  why: z.string(),
});

const poolSchema = z.strictObject({
  name: z.string(),
  policy: z.string(),
  upstreams: z.array(z.strictObject({
    url: z.string(),
    weight: z.int().min(1),
    backup: z.boolean(),
    note: z.string().nullable(),
    state: z.string().nullable(),
    inFlight: z.int().min(0).nullable(),
  })),
});

/** How a request is handled. */
export const explanationSchema = z.strictObject({
  request: z.strictObject({
    method: z.string(),
    url: z.string(),
    host: z.string(),
    path: z.string(),
    query: z.string(),
    client: z.string(),
  }),
  rewritten: z.string().nullable(),
  listener: z.string().nullable(),
  notes: z.array(z.string()),
  site: siteSchema.nullable(),
  otherSites: z.array(siteSchema),
  outcome: z.enum(["endpoint", "upstream", "files", "redirect", "refused"]),
  status: z.int().nullable(),
  why: z.string(),
  location: z.string().nullable(),
  route: routeSchema.nullable(),
  otherRoutes: z.array(routeSchema),
  moreRoutes: z.int().min(0),
  forward: z.strictObject({ head: z.array(z.string()), hostOfUpstream: z.boolean(), websocket: z.boolean() })
    .nullable(),
  pool: poolSchema.nullable(),
  files: z.strictObject({ root: z.string(), tried: z.array(z.string()), file: z.string().nullable() }).nullable(),
  settings: z.record(z.string(), z.string()),
}).register(API_SCHEMAS, { id: "Explanation" }) satisfies z.ZodType<Explanation>;
