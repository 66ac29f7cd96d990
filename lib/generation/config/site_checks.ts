/**
 * Checks of a site that concern several of its parts.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { booleanOf, child, tablesOf } from "../../config/source_tree.ts";

/** Checks that each site serves files, proxies, or both, or responds by itself, as with redirects. */
export const checkPurpose: ConfigCheck = (root, problems) => {
  for (const site of tablesOf(root, "sites")) {
    if (child(site, "static_dir") !== undefined || booleanOf(site, "redirect_to_https", false)) continue;
    if (child(site, "api_only") !== undefined) continue;
    if (child(site, "redirects") !== undefined || child(site, "respond") !== undefined) continue;
    const proxy = child(site, "proxy");
    if (proxy !== undefined && (proxy.kind !== "table" || booleanOf(proxy, "enabled", true))) continue;
    const message = proxy === undefined
      ? "the site neither serves files nor proxies"
      : "the site's proxy is not enabled, and it serves no files";
    problems.error(site, { message, expected: "static_dir, [sites.proxy] or both" });
  }
};
