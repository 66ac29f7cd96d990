/**
 * The tables `[sites.proxy.headers]` and `[sites.proxy.routes.headers]`.
 *
 * @module
 */

import type { z } from "zod";
import { type Fault, flag } from "../../../config/fields.ts";
import { headerChanges, headerNames, headerTable } from "../../../config/header_fields.ts";
import { fieldValueAt } from "../../../exchange/field_value.ts";
import { fieldText } from "../../../exchange/field_text.ts";

const sent = () => headerTable(fieldValueAt("forwarded"), hostFault);
const received = () => headerTable(fieldValueAt("responded"));

/** Changes to header fields. */
export const headersKeys = {
  add_x_forwarded: flag().default(true).describe("Send X-Forwarded-For, -Proto and -Host upstream."),
  add_forwarded: flag().default(false).describe("Send the Forwarded header field of RFC 7239 upstream."),
  add: sent().prefault({}).describe("Fields that are added in both directions."),
  remove: headerNames().prefault([]).describe("Names of fields that are removed in both directions."),
  request: headerChanges(sent).prefault({}).describe("Changes to requests to upstreams."),
  response: headerChanges(received).prefault({}).describe("Changes to responses of upstreams."),
};

/** Changes to header fields, after defaults. */
export type HeadersConfig = z.output<z.ZodObject<typeof headersKeys>>;

/** Redirects of an upstream are mapped back by the Host that it sees, so that has to be known before. */
function hostFault(lowerName: string, value: string): Fault | undefined {
  if (lowerName !== "host" || typeof fieldText(value, "responded") === "string") return undefined;
  return {
    message: "Host has a placeholder",
    expected: "preserve_host = true for the client's Host, or preserve_host = false for that of the upstream's URL",
  };
}
