/**
 * The key of `[[sites]]` for the internal endpoints of a site.
 *
 * @module
 */

import { z } from "zod";
import { flag, slashPath } from "../../config/fields.ts";

const INTERNAL_API = 'true, false, or a path prefix that begins with "/"';

/** The key, for the composed table. */
export const internalKeys = {
  internal_api: z.union([flag(), slashPath(INTERNAL_API)], { error: INTERNAL_API })
    .default(true)
    .describe("Whether the site has the internal endpoints such as /api/health, or the prefix that replaces /api."),
};
