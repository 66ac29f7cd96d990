/**
 * Values of header fields in the config, which may have placeholders.
 *
 * @module
 */

import type { z } from "zod";
import { fieldValue } from "../config/fields.ts";
import type { Stage } from "./placeholder_values.ts";
import { placeholderFault } from "./placeholders.ts";

/** The value of a header field, with placeholders that are known at a stage. */
export function fieldValueAt(stage: Stage): z.ZodString {
  return fieldValue().superRefine((value, context) => {
    const fault = placeholderFault(value, { stage, keepsUnknown: true });
    if (fault === undefined) return;
    const { message: found, expected: message, suggestion } = fault;
    context.addIssue({ code: "custom", message, params: { found, suggestion } });
  });
}
