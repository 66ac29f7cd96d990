/**
 * The tables `[sites.headers]` and `[sites.request_id]`.
 *
 * @module
 */

import type { z } from "zod";
import { flag, table, token } from "../config/fields.ts";
import { headerTable, ownFault } from "../config/header_fields.ts";

const requestIdSchema = table({
  header: token("a header name", ownFault).default("X-Request-Id").describe(
    "Name of the field that carries the id of a request: from trusted_proxies, to upstreams and to clients.",
  ),
  trust: flag().default(true).describe("Keep the id that an upstream puts on its response, instead of the request's."),
});

/** The keys, for the composed table. */
export const siteHeaderKeys = {
  headers: headerTable().prefault({}).describe("Header fields of every response of the site."),
  request_id: requestIdSchema.prefault({}).describe("How requests are named in logs and header fields."),
};

/** `[sites.headers]` and `[sites.request_id]`, after defaults. */
export type HeadersConfig = z.output<z.ZodObject<typeof siteHeaderKeys>>;
