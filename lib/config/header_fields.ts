/**
 * Tables of header fields, used by sites, proxies and probes.
 *
 * @module
 */

import { z } from "zod";
import { type Fault, fieldValue, flag, list, table, token } from "./fields.ts";

/** Fields that the proxy sets for framing and connections; another value would break the framing of messages. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Refuses the name of a framing field. */
export function ownFault(name: string): Fault | undefined {
  if (!OWN.has(name.toLowerCase())) return undefined;
  return { message: "is written by the proxy itself", expected: "a header that does not frame the message" };
}

/**
 * A table of header names and their values.
 *
 * @param value Schema of a value.
 * @param faultOf A further check of a name, in lower case, with its value.
 */
export function headerTable(
  value: z.ZodString = fieldValue(),
  faultOf?: (lowerName: string, value: string) => Fault | undefined,
) {
  const fields = z.record(token("a header name", ownFault), value, { error: "a table of texts" });
  if (faultOf === undefined) return fields;
  return fields.superRefine((given, context) => {
    for (const [name, value] of Object.entries(given)) {
      const fault = faultOf(name.toLowerCase(), value);
      if (fault === undefined) continue;
      const { message: found, expected: message, suggestion } = fault;
      context.addIssue({ code: "custom", path: [name], message, params: { found, suggestion } });
    }
  });
}

/**
 * Header names to remove: a list, or a table of booleans in which names with `true` count. Converted to a list of names in
 * lower case.
 */
export function headerNames() {
  const names = list(token("a header name"));
  const flags = z.record(token("a header name"), flag());
  return z.union([flags, names], { error: "a list of header names, or a table of names and booleans" })
    .transform((given) => {
      const kept = Array.isArray(given) ? given : Object.keys(given).filter((name) => given[name]);
      return [...new Set(kept.map((name) => name.toLowerCase()))];
    });
}

/**
 * Changes to the header fields of one direction.
 *
 * @param fields Schema of a table of names and values.
 */
export function headerChanges(fields: () => ReturnType<typeof headerTable> = headerTable) {
  return table({
    set: fields().prefault({}).describe("Fields that replace all fields of their name."),
    add: fields().prefault({}).describe("Fields that are added to those of their name."),
    remove: headerNames().prefault([]).describe("Names of fields that are removed."),
  });
}
