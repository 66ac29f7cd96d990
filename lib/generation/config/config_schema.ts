/**
 * The schema of a BWS config: the only source of its types, its defaults and its JSON Schema. Each table is defined beside
 * the code that it configures; here the tables are composed. After a change of a key, `deno task generate` rewrites
 * `config_types.ts`.
 *
 * Keys have the names of the file. Durations are converted to milliseconds, and sizes to bytes.
 *
 * @module
 */

import type { z } from "zod";
import { table, tables } from "../../config/fields.ts";
import { managementSchema } from "../../admin/management_schema.ts";
import { type AnyFeature, FEATURES } from "../../features/features.ts";
import { acmeSchema } from "../../listener/acme/acme_schema.ts";
import { type Nameable, nameSites } from "../../listener/virtual_host_schema.ts";
import { storeSchema } from "../../redis/store_schema.ts";
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
    acme: acmeSchema.prefault({}).describe("Certificates that BWS obtains itself."),
    store: storeSchema.optional().describe(
      "A Redis in place of the folder acme.storage, so that several machines share certificates.",
    ),
    sites: tables(site).min(1, { error: "at least one [[sites]] table" })
      // With features as a type parameter, the compiler cannot infer that the keys of a site include its own ones.
      .transform((sites) => nameSites(sites as unknown as Nameable[]) as unknown as Site[])
      .describe("The sites, at least one."),
  });
}

/** The schema of a whole config. */
export const configSchema = composeSchema(FEATURES);

/** The type of an accepted config as the compiler infers it; {@linkcode Config} is the same type, written out. */
export type InferredConfig = z.output<typeof configSchema> & {
  /** Substituted values (`${NAME}`): the path of each, with the text that is shown in its place. */
  readonly substituted?: Readonly<Record<string, string>>;
  /** Absolute path of the file from which the config was read; it is never served. */
  readonly file?: string;
};
