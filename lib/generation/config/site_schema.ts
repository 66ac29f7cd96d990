/**
 * The tables `[[sites]]`, composed of the keys of what a site is made of.
 *
 * @module
 */

import type { z } from "zod";
import { size, table } from "../../config/fields.ts";
import { errorPageKeys } from "../../features/error_pages_schema.ts";
import { siteHeaderKeys } from "../../features/site_headers_schema.ts";
import { cacheKeys, fileKeys } from "../../handlers/files/files_schema.ts";
import { internalKeys } from "../../handlers/internal/internal_schema.ts";
import { proxySchema } from "../../handlers/proxy/config/proxy_schema.ts";
import { virtualHostKeys } from "../../listener/virtual_host_schema.ts";

/** One site: a virtual host that serves files, proxies, or both. */
export const siteSchema = table({
  ...virtualHostKeys,
  ...fileKeys,
  ...siteHeaderKeys,
  ...errorPageKeys,
  max_body_size: size().optional().describe("Largest request body; overrides the server's."),
  ...internalKeys,
  ...cacheKeys,
  proxy: proxySchema.optional().describe("What is proxied."),
});

/** A site, after defaults. Its name is set and unique, its host names are in lower case, its paths are absolute. */
export type SiteConfig = z.output<typeof siteSchema> & { name: string };
