/**
 * The tables `[sites.proxy.headers]` and `[sites.proxy.routes.headers]`.
 *
 * @module
 */

import type { z } from "zod";
import { flag } from "../../../config/fields.ts";
import { headerChanges, headerNames, headerTable } from "../../../config/header_fields.ts";

/** Changes to header fields. */
export const headersKeys = {
  add_x_forwarded: flag().default(true).describe("Send X-Forwarded-For, -Proto and -Host upstream."),
  add_forwarded: flag().default(false).describe("Send the Forwarded header field of RFC 7239 upstream."),
  add: headerTable().prefault({}).describe("Fields that are added in both directions."),
  remove: headerNames().prefault([]).describe("Names of fields that are removed in both directions."),
  request: headerChanges().prefault({}).describe("Changes to requests to upstreams."),
  response: headerChanges().prefault({}).describe("Changes to responses of upstreams."),
};

/** Changes to header fields, after defaults. */
export type HeadersConfig = z.output<z.ZodObject<typeof headersKeys>>;
