/**
 * The JSON Schema of config files, for editors.
 *
 * @module
 */

import { z } from "zod";

/** A JSON Schema, as data. */
export type JsonSchema = Record<string, unknown>;

/**
 * The JSON Schema (draft 2020-12) of a config file as it is written, with titles, descriptions and defaults. Editors use
 * it for completion and checks.
 */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: "input",
    override: ({ jsonSchema: part }) => {
      // Tables with arbitrary keys have a schema for their values already.
      if (part.type === "object" && part.additionalProperties === undefined) part.additionalProperties = false;
      allowSubstitution(part);
    },
  });
  const description = "Config file of BWS, a reverse proxy and static web server.";
  return { $schema, title: "BWS config", description, ...rest };
}

const SUBSTITUTION = "\\$\\{";

/** Allows `"${NAME}"` in place of any value but a table or a list. */
function allowSubstitution(part: z.core.JSONSchema.BaseSchema): void {
  if (part.enum !== undefined) {
    part.anyOf = [{ type: "string", enum: part.enum }, { type: "string", pattern: SUBSTITUTION }];
    delete part.enum;
    delete part.type;
  } else if (part.type === "boolean" || part.type === "number" || part.type === "integer") {
    // An array of types is valid in JSON Schema, though not in the types of the library.
    Object.assign(part, { type: [part.type, "string"], pattern: SUBSTITUTION });
  } else if (part.type === "string" && part.pattern !== undefined && !part.pattern.endsWith(`|${SUBSTITUTION}`)) {
    part.pattern = `(?:${part.pattern})|${SUBSTITUTION}`;
  }
}
