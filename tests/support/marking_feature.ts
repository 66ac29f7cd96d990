/**
 * A feature that only tests have: it puts a field on responses. Everything of it is here, as a feature's own folder has it.
 *
 * @module
 */

import type { z } from "zod";
import { duration, fieldValue, table } from "../../lib/config/fields.ts";
import type { Feature } from "../../lib/features/feature.ts";
import { FEATURES } from "../../lib/features/features.ts";
import { composeSchema } from "../../lib/generation/config/config_schema.ts";

const markingSchema = table({
  mark: fieldValue().describe("What responses are marked with."),
  max_age: duration().prefault("1m").describe("How long the mark holds."),
}).describe("How responses are marked.");

/** Marks responses. */
export const marking = {
  key: "marking",
  scopes: ["site", "route"],
  order: 500,
  schema: markingSchema,
  check({ mark }, report) {
    if (mark === "none") report.warning(["mark"], { message: 'mark is "none"', expected: "no [marking]" });
  },
  compile({ mark, max_age }, { site }) {
    return {
      response(_exchange, response) {
        response.headers.push("x-mark", `${mark} of ${site.name} for ${max_age}`);
        return response;
      },
    };
  },
} as const satisfies Feature<z.output<typeof markingSchema>>;

/** All features, and this one in its line of the list. */
export const WITH_MARKING = [...FEATURES, marking] as const;

/** The schema of a config in which it may be set. */
export const markingConfigSchema = composeSchema(WITH_MARKING);
