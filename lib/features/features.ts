/**
 * All features. Whoever adds one writes its file or folder here, and one line in this list: its table is then in the
 * schema, in the types, in the JSON Schema and in the reference, and its filter in the pipelines.
 *
 * @module
 */

import { errorPages } from "./error_pages.ts";
import type { Feature } from "./feature.ts";
import { headers } from "./headers.ts";
import { maxBodySize } from "./max_body_size.ts";
import { requestId } from "./request_id.ts";

/** Any feature, whatever its options. */
// deno-lint-ignore no-explicit-any
export type AnyFeature = Feature<any>;

/** The features of this server; their places in the pipeline are their `order`. */
export const FEATURES = [requestId, maxBodySize, headers, errorPages] as const satisfies readonly AnyFeature[];
