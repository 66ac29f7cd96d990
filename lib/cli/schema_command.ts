/**
 * `bws schema`: the JSON Schema of config files.
 *
 * @module
 */

import { jsonSchema } from "../config/json_schema.ts";
import { configSchema } from "../generation/config/config_schema.ts";
import type { CommandInput } from "./command.ts";

/** Prints the schema. */
export function schemaCommand({ terminal }: CommandInput): Promise<number> {
  terminal.print(JSON.stringify(jsonSchema(configSchema), null, 2));
  return Promise.resolve(0);
}
