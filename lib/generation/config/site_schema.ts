/**
 * The tables `[[sites]]`, composed of the keys of the parts of a site.
 *
 * @module
 */

import { table } from "../../config/fields.ts";
import type { AnyFeature } from "../../features/features.ts";
import { fileKeys, routeFileKeys } from "../../handlers/files/files_schema.ts";
import { internalKeys } from "../../handlers/internal/internal_schema.ts";
import { composeProxy } from "../../handlers/proxy/config/proxy_schema.ts";
import { tlsKeys } from "../../listener/tls/tls_schema.ts";
import { virtualHostKeys } from "../../listener/virtual_host_schema.ts";
import { featureKeys } from "./feature_schema.ts";

/** One site: a virtual host that serves files, proxies, or both. */
export function composeSite<const F extends readonly AnyFeature[]>(features: F) {
  return table({
    ...virtualHostKeys,
    ...tlsKeys,
    ...fileKeys,
    ...internalKeys,
    ...featureKeys(features, "site"),
    proxy: composeProxy({ ...routeFileKeys, ...featureKeys(features, "route") }).optional().describe(
      "What is proxied.",
    ),
  });
}
