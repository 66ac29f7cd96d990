/**
 * The schema of a BWS config: the one source of its types, its defaults, its checks and its JSON Schema. What one key
 * alone decides is here; what several keys decide together is in the `…_checks.ts` files. After a change of a key,
 * `deno task generate` writes `config_types.ts` anew.
 *
 * Keys keep the names of the file. Durations come out in milliseconds and sizes in bytes, whatever was written.
 *
 * @module
 */

import type { z } from "zod";
import type { Config } from "./config_types.ts";
import { table, tables } from "./fields.ts";
import { loggingSchema, managementSchema, serverSchema } from "./server_schema.ts";
import { nameSites, siteSchema } from "./site_schema.ts";

/** The schema of a whole config. */
export const configSchema = table("config", {
  server: serverSchema.prefault({}).describe("What holds for the whole process."),
  logging: loggingSchema.prefault({}).describe("What is written where."),
  management: managementSchema.prefault({}).describe("The API for operators."),
  sites: tables("sites", siteSchema).min(1, { error: "at least one [[sites]] table" })
    .transform(nameSites)
    .describe("The sites, at least one."),
});

/** What the compiler infers of an accepted config; {@linkcode Config} is the same, written out. */
export type InferredConfig = z.output<typeof configSchema> & {
  /** Values that came by `${NAME}`: the path of each, with what is shown in its place. */
  readonly substituted?: Readonly<Record<string, string>>;
};

/** `[server]`, after defaults. */
export type ServerConfig = Config["server"];

/** `[management]`, after defaults. */
export type ManagementConfig = Config["management"];

export type { Config, ConfigInput } from "./config_types.ts";
export type { HealthCheckConfig } from "./health_check_schema.ts";
export type { ProxyConfig } from "./proxy_schema.ts";
export type { RouteConfig } from "./route_schema.ts";
export type { SiteConfig } from "./site_schema.ts";
export type { StatusRange } from "./status_range.ts";
export type { UpstreamConfig } from "./upstream_schema.ts";
