/**
 * The schema of a BWS config: the one source of its types, its defaults and its JSON Schema. Each table stands with what it
 * configures; here they are composed. After a change of a key, `deno task generate` writes `config_types.ts` anew.
 *
 * Keys keep the names of the file. Durations come out in milliseconds and sizes in bytes, whatever was written.
 *
 * @module
 */

import type { z } from "zod";
import { table, tables } from "../../config/fields.ts";
import { managementSchema } from "../../admin/management_schema.ts";
import { type AnyFeature, FEATURES } from "../../features/features.ts";
import { type Nameable, nameSites } from "../../listener/virtual_host_schema.ts";
import { loggingSchema, serverSchema } from "../../process/server_schema.ts";
import { composeSite } from "./site_schema.ts";

/** The schema of a whole config in which these features may be set. */
export function composeSchema<const F extends readonly AnyFeature[]>(features: F) {
  const site = composeSite(features);
  type Site = z.output<typeof site> & { name: string };
  return table({
    server: serverSchema.prefault({}).describe("What holds for the whole process."),
    logging: loggingSchema.prefault({}).describe("What is written where."),
    management: managementSchema.prefault({}).describe("The API for operators."),
    sites: tables(site).min(1, { error: "at least one [[sites]] table" })
      // Of features that are not known yet, the compiler cannot tell that a site's own keys are among its keys
      .transform((sites) => nameSites(sites as unknown as Nameable[]) as unknown as Site[])
      .describe("The sites, at least one."),
  });
}

/** The schema of a whole config. */
export const configSchema = composeSchema(FEATURES);

/** What the compiler infers of an accepted config; {@linkcode Config} is the same, written out. */
export type InferredConfig = z.output<typeof configSchema> & {
  /** Values that came by `${NAME}`: the path of each, with what is shown in its place. */
  readonly substituted?: Readonly<Record<string, string>>;
};
